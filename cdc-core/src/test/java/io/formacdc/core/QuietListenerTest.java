package io.formacdc.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class QuietListenerTest {
    @Test
    void everyEventIsPassedOnAndWhatTheListenerThrowsIsNot() throws ReflectiveOperationException {
        List<Method> events = Arrays.stream(CdcListener.class.getMethods())
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .toList();
        List<String> heard = new ArrayList<>();
        CdcListener failing = (CdcListener) Proxy.newProxyInstance(
                CdcListener.class.getClassLoader(), new Class<?>[] {CdcListener.class}, (proxy, event, arguments) -> {
                    heard.add(event.getName());
                    throw new IllegalStateException("the listener fails at " + event.getName());
                });

        for (Method event : events) {
            event.invoke(CdcListener.quiet(failing), nothingFor(event));
        }

        assertThat(heard)
                .hasSizeGreaterThan(10)
                .containsExactlyElementsOf(events.stream().map(Method::getName).toList());
    }

    private static Object[] nothingFor(Method event) {
        return Arrays.stream(event.getParameterTypes())
                .map(type -> type == int.class ? (Object) 0 : type == long.class ? (Object) 0L : null)
                .toArray();
    }
}
