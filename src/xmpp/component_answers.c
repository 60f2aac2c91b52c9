#include "xmpp/component_answers.h"

#include "xmpp/namespaces.h"

#include <strings.h>

#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info"
#define NS_VERSION "jabber:iq:version"

/* Lent from the address: between '@' and '/', each of which may be missing (RFC 7622 3.1). */
static struct slice domain_of(struct slice jid)
{
	const char *at;
	const char *slash = jid.len ? memchr(jid.data, '/', jid.len) : NULL;

	if (slash)
		jid.len = (size_t)(slash - jid.data);
	at = jid.len ? memchr(jid.data, '@', jid.len) : NULL;
	if (at) {
		jid.len -= (size_t)(at + 1 - jid.data);
		jid.data = at + 1;
	}
	return jid;
}

bool component_is_asked(const struct stanza_view *stanza, const char *name)
{
	struct slice domain = domain_of(stanza->to);

	return !stanza->to.data ||
	       (domain.len == strlen(name) && strncasecmp(domain.data, name, domain.len) == 0);
}

static void append_attribute(struct buffer *out, const char *name, struct slice value)
{
	if (!value.data)
		return;
	buffer_printf(out, " %s='", name);
	buffer_append_xml(out, value);
	buffer_append_text(out, "'");
}

/* `name` and `type` of the answer; `inside` is its content. */
static void answer(struct buffer *out, const struct stanza_view *stanza, const char *type,
		   const char *inside)
{
	const char *name = stanza->kind == STANZA_IQ ? "iq" : "message";

	buffer_printf(out, "<%s type='%s'", name, type);
	append_attribute(out, "from", stanza->to);
	append_attribute(out, "to", stanza->from);
	append_attribute(out, "id", stanza->id);
	buffer_printf(out, ">%s</%s>", inside, name);
}

static void answer_iq(struct buffer *out, const struct stanza_view *stanza)
{
	struct stanza_view query;
	bool is_get = slice_is(stanza->type, "get");

	if (is_get && stanza_child(stanza, "ping", NS_PING, &query))
		answer(out, stanza, "result", "");
	else if (is_get && stanza_child(stanza, "query", NS_DISCO_INFO, &query) &&
		 !stanza_attribute(&query, "node", NULL).len)
		answer(out, stanza, "result",
		       "<query xmlns='" NS_DISCO_INFO "'>"
		       "<identity category='component' type='s2s' name='Sallyport'/>"
		       "<feature var='" NS_DISCO_INFO "'/><feature var='" NS_PING "'/>"
		       "<feature var='" NS_VERSION "'/></query>");
	else if (is_get && stanza_child(stanza, "query", NS_VERSION, &query))
		answer(out, stanza, "result",
		       "<query xmlns='" NS_VERSION "'><name>Sallyport</name>"
		       "<version>" SALLYPORT_RELEASE "</version></query>");
	else
		answer(out, stanza, "error",
		       "<error type='cancel'><service-unavailable xmlns='" NS_STANZA_ERRORS
		       "'/></error>");
}

void component_answer(struct buffer *out, const struct stanza_view *stanza)
{
	bool ends = slice_is(stanza->type, "error") || slice_is(stanza->type, "result");

	if (ends || !stanza->from.data)
		return;
	if (stanza->kind == STANZA_IQ)
		answer_iq(out, stanza);
	else if (stanza->kind == STANZA_MESSAGE)
		answer(out, stanza, "error",
		       "<error type='cancel'><service-unavailable xmlns='" NS_STANZA_ERRORS
		       "'/></error>");
}
