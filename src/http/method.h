/* method.h: the request methods there are: those of RFC 9110 and RFC 5789 first, then the rest of IANA's registry. */
#ifndef TERN_HTTP_METHOD_H
#define TERN_HTTP_METHOD_H

#include "base/str.h"

#define METHODS(X)                                                                                                     \
    X(GET, "GET")                                                                                                      \
    X(HEAD, "HEAD")                                                                                                    \
    X(POST, "POST")                                                                                                    \
    X(PUT, "PUT")                                                                                                      \
    X(DELETE, "DELETE")                                                                                                \
    X(OPTIONS, "OPTIONS")                                                                                              \
    X(PATCH, "PATCH")                                                                                                  \
    X(CONNECT, "CONNECT")                                                                                              \
    X(TRACE, "TRACE")                                                                                                  \
    X(ACL, "ACL")                                                                                                      \
    X(BASELINE_CONTROL, "BASELINE-CONTROL")                                                                            \
    X(BIND, "BIND")                                                                                                    \
    X(CHECKIN, "CHECKIN")                                                                                              \
    X(CHECKOUT, "CHECKOUT")                                                                                            \
    X(COPY, "COPY")                                                                                                    \
    X(LABEL, "LABEL")                                                                                                  \
    X(LINK, "LINK")                                                                                                    \
    X(LOCK, "LOCK")                                                                                                    \
    X(MERGE, "MERGE")                                                                                                  \
    X(MKACTIVITY, "MKACTIVITY")                                                                                        \
    X(MKCALENDAR, "MKCALENDAR")                                                                                        \
    X(MKCOL, "MKCOL")                                                                                                  \
    X(MKREDIRECTREF, "MKREDIRECTREF")                                                                                  \
    X(MKWORKSPACE, "MKWORKSPACE")                                                                                      \
    X(MOVE, "MOVE")                                                                                                    \
    X(ORDERPATCH, "ORDERPATCH")                                                                                        \
    X(PROPFIND, "PROPFIND")                                                                                            \
    X(PROPPATCH, "PROPPATCH")                                                                                          \
    X(QUERY, "QUERY")                                                                                                  \
    X(REBIND, "REBIND")                                                                                                \
    X(REPORT, "REPORT")                                                                                                \
    X(SEARCH, "SEARCH")                                                                                                \
    X(UNBIND, "UNBIND")                                                                                                \
    X(UNCHECKOUT, "UNCHECKOUT")                                                                                        \
    X(UNLINK, "UNLINK")                                                                                                \
    X(UNLOCK, "UNLOCK")                                                                                                \
    X(UPDATE, "UPDATE")                                                                                                \
    X(UPDATEREDIRECTREF, "UPDATEREDIRECTREF")                                                                          \
    X(VERSION_CONTROL, "VERSION-CONTROL")

#define METHOD_ENUM(name, text) METHOD_##name,
enum method { METHODS(METHOD_ENUM) METHOD_UNKNOWN };

/* The name of a method; not of METHOD_UNKNOWN. */
struct str method_name(enum method method);

/* The method of that name, which is case-sensitive. */
enum method method_of(struct str name);

#endif
