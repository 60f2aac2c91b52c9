/* An answer of the DNS in words, as `sallyport why` shows it. */
#ifndef NET_DNS_TEXT_H
#define NET_DNS_TEXT_H

#include "net/dns.h"

/* "SRV _xmpp-server._tcp.example.net: 10 5 5269 xmpp.example.net (DNSSEC: secure)"; cut to size. */
void dns_text(const struct dns_answer *answer, char *text, size_t size);
/* Whether the answer says what is there, or proves that nothing is. */
bool dns_answer_is_usable(const struct dns_answer *answer);

#endif
