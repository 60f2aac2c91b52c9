/* The namespaces of the protocols we speak, as string literals so that they concatenate. */
#ifndef XMPP_NAMESPACES_H
#define XMPP_NAMESPACES_H

#define NS_STREAMS "http://etherx.jabber.org/streams"	       /* RFC 6120 4.8.1 */
#define NS_SERVER "jabber:server"			       /* RFC 6120 4.8.2 */
#define NS_CLIENT "jabber:client"			       /* RFC 6120 4.8.2 */
#define NS_COMPONENT "jabber:component:accept"		       /* XEP-0114 */
#define NS_DIALBACK "jabber:server:dialback"		       /* XEP-0220 */
#define NS_DIALBACK_FEATURE "urn:xmpp:features:dialback"       /* XEP-0220 2.3 */
#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"	       /* RFC 6120 5 */
#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"	       /* RFC 6120 6 */
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams" /* RFC 6120 4.9 */
#define NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas" /* RFC 6120 8.3 */
#define NS_PING "urn:xmpp:ping"				       /* XEP-0199 */
#define NS_LINK "urn:sallyport:link:1"			       /* docs/protocols.md */
#define NS_ATTACH "urn:sallyport:attach:1"		       /* docs/protocols.md */
#define NS_XML "http://www.w3.org/XML/1998/namespace"
#define NS_XMLNS "http://www.w3.org/2000/xmlns/"

#endif
