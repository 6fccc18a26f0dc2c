package io.formacdc.core;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/** Tells one host from whatever else could become part of a URL. */
final class HostAddress {
    private static final Pattern LABELS = Pattern.compile(
            "([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.?");

    private static final Pattern IPV4 = Pattern.compile("((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(?!$)|$)){4}");

    private static final Pattern LOOKS_LIKE_IPV4 = Pattern.compile("(.*\\.)?[0-9]+\\.?");
    private static final Pattern LOOKS_LIKE_IPV6 = Pattern.compile("[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*");
    private static final int MAX_NAME = 253;

    private HostAddress() {}

    /** Whether this is a host name in ASCII, an IPv4 address, or an IPv6 address, in brackets or not. Looks nothing up. */
    static boolean isValid(String host) {
        if (host.startsWith("[")) {
            return host.endsWith("]") && isIpv6(host.substring(1, host.length() - 1));
        }
        return isIpv6(host)
                || IPV4.matcher(host).matches()
                || (host.length() <= MAX_NAME
                        && LABELS.matcher(host).matches()
                        && !LOOKS_LIKE_IPV4.matcher(host).matches());
    }

    private static boolean isIpv6(String text) {
        try {
            // In brackets it is never looked up as a name.
            return LOOKS_LIKE_IPV6.matcher(text).matches() && InetAddress.getByName("[" + text + "]") != null;
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
