package io.formacdc.core;

/** The fake keeps the promises of the port, as the real stores do. */
class MemoryObjectStoreTest extends ListingObjectStoreContract {
    private final MemoryObjectStore store = new MemoryObjectStore();

    @Override
    protected ObjectStore store() {
        return store;
    }

    @Override
    protected ObjectStore storeWithoutBucket() {
        return MemoryObjectStore.withoutBucket();
    }
}
