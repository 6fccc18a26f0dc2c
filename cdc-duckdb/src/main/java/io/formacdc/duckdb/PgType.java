package io.formacdc.duckdb;

/** The PostgreSQL types that are decoded from their binary format; every other one is read as text. */
enum PgType {
    INT2,
    INT4,
    INT8,
    FLOAT4,
    FLOAT8,
    NUMERIC,
    TEXT,
    UUID,
    BOOL,
    OTHER;

    /** The type of an oid of {@code pg_type}, whose numbers of built-in types never change. */
    static PgType ofOid(long oid) {
        return switch ((int) oid) {
            case 16 -> BOOL;
            case 20 -> INT8;
            case 21 -> INT2;
            case 23 -> INT4;
            case 25, 1043 -> TEXT;
            case 700 -> FLOAT4;
            case 701 -> FLOAT8;
            case 1700 -> NUMERIC;
            case 2950 -> UUID;
            default -> OTHER;
        };
    }

    /** Text, or a type whose text is taken: an enum, a date, {@code char(n)}, whose padding a cast to text removes. */
    boolean isReadAsText() {
        return this == TEXT || this == OTHER;
    }

    boolean isInteger() {
        return this == INT2 || this == INT4 || this == INT8;
    }
}
