#include "admin/doctor.h"
#include "admin/doctor_checks.h"

#include "base/alloc.h"
#include "tables/failures.h"

#include <stdlib.h>

#define each(view, list, row)                                                                      \
	for (size_t row##_at = 0;                                                                  \
	     (row = json_array_get(json_object_get((view)->status, list), row##_at)); row##_at++)

/* What a failure is a symptom of; those of ours, and those that are meant, of none. */
static const struct {
	enum failure failure;
	enum symptom symptom;
	const char *says; /* if this is in its words; NULL: whatever they are */
} failures[] = {
	{ FAILURE_NO_SUCH_DOMAIN, SYMPTOM_NO_RECORD },
	{ FAILURE_NO_SERVICE, SYMPTOM_NO_RECORD },
	{ FAILURE_DNS_FAILED, SYMPTOM_PARTNER_DNS },
	{ FAILURE_DNS_BOGUS, SYMPTOM_PARTNER_DNS },
	{ FAILURE_ADDRESS_REFUSED, SYMPTOM_PARTNER_DNS },
	{ FAILURE_TCP_REFUSED, SYMPTOM_PARTNER_DOWN },
	{ FAILURE_TCP_UNREACHABLE, SYMPTOM_PARTNER_DOWN },
	{ FAILURE_TCP_TIMEOUT, SYMPTOM_PARTNER_DOWN },
	{ FAILURE_TLS_FAILED, SYMPTOM_PARTNER_BROKEN },
	{ FAILURE_NO_TLS, SYMPTOM_NO_TLS },
	{ FAILURE_TLS_NOT_WANTED, SYMPTOM_NO_TLS },
	{ FAILURE_CERTIFICATE_REFUSED, SYMPTOM_WRONG_NAME, "names another domain" },
	{ FAILURE_CERTIFICATE_REFUSED, SYMPTOM_WRONG_NAME, "expired" },
	{ FAILURE_CERTIFICATE_REFUSED, SYMPTOM_WRONG_NAME, "not yet valid" },
	{ FAILURE_CERTIFICATE_REFUSED, SYMPTOM_UNKNOWN_ISSUER },
	{ FAILURE_PROTOCOL, SYMPTOM_PARTNER_BROKEN },
	{ FAILURE_STREAM_ERROR, SYMPTOM_NOT_FOUND_THERE, "remote-server-not-found" },
	{ FAILURE_STREAM_ERROR, SYMPTOM_PARTNER_BROKEN },
	{ FAILURE_HOST_UNKNOWN, SYMPTOM_PARTNER_BROKEN },
	{ FAILURE_DIALBACK_REFUSED, SYMPTOM_KEY_INVALID },
	{ FAILURE_DIALBACK_ERROR, SYMPTOM_NOT_FOUND_THERE, "remote-server-not-found" },
	{ FAILURE_DIALBACK_ERROR, SYMPTOM_DIALBACK_SILENT },
	{ FAILURE_TIMEOUT, SYMPTOM_DIALBACK_SILENT, "wait-result" },
	{ FAILURE_TIMEOUT, SYMPTOM_PARTNER_DOWN },
	{ FAILURE_LOST, SYMPTOM_PARTNER_BROKEN },
	{ FAILURE_NOT_ON_ALLOW_LIST, SYMPTOM_NOT_ALLOWED },
};

static enum symptom symptom_of_failure(enum failure failure, const char *why)
{
	for (size_t i = 0; i < nitems(failures); i++) {
		if (failures[i].failure == failure &&
		    (!failures[i].says || strstr(why, failures[i].says)))
			return failures[i].symptom;
	}
	return SYMPTOM_COUNT;
}

static bool is_below(const char *domain, const char *above)
{
	size_t len = strlen(domain), of = strlen(above);

	return of && len > of + 1 && domain[len - of - 1] == '.' &&
	       strcmp(domain + len - of, above) == 0;
}

const char *doctor_parent(const struct doctor_view *view, const char *domain)
{
	const json_t *row;

	each(view, "domains", row)
	{
		if (doctor_is(row, "federation", "on") &&
		    is_below(domain, doctor_text_of(row, "name")))
			return doctor_text_of(row, "name");
	}
	return NULL;
}

/* A partner that works, whose chat domain this may be. */
static const char *working_parent(const struct doctor_view *view, const char *domain)
{
	const json_t *peer;

	each(view, "peers", peer)
	{
		if (!*doctor_text_of(peer, "failure") &&
		    is_below(domain, doctor_text_of(peer, "domain")))
			return doctor_text_of(peer, "domain");
	}
	return NULL;
}

static const json_t *probe_of(const struct doctor_view *view, const char *list, const char *domain)
{
	size_t index;
	json_t *probe;

	json_array_foreach(json_object_get(view->probes, list), index, probe)
	{
		if (doctor_is(probe, "domain", domain))
			return probe;
	}
	return NULL;
}

static bool is_recent(const json_t *peer)
{
	const json_t *seconds = json_object_get(peer, "failed_seconds");

	return json_is_integer(seconds) && json_integer_value(seconds) < DOCTOR_RECENT_S;
}

static char *describe(const struct doctor_view *view, const json_t *peer, enum failure failure)
{
	const char *why = doctor_text_of(peer, "why"), *domain = doctor_text_of(peer, "domain");
	const json_t *probe = probe_of(view, "partners", domain);
	json_int_t waiting = json_integer_value(json_object_get(peer, "waiting"));
	struct buffer seen = { 0 };

	buffer_printf(&seen, "%s%s%s, %" JSON_INTEGER_FORMAT " s ago", failure_name(failure),
		      *why ? ": " : "", why,
		      json_integer_value(json_object_get(peer, "failed_seconds")));
	if (waiting)
		buffer_printf(&seen, "; %" JSON_INTEGER_FORMAT " stanzas wait", waiting);
	if (probe)
		buffer_printf(&seen, "; looked up now: %s", doctor_text_of(probe, "says"));
	return buffer_take_text(&seen);
}

/* Rooms that fail where users pass: which of the three a chat domain needs was forgotten. */
static bool is_forgotten(enum symptom symptom)
{
	return symptom == SYMPTOM_NOT_ALLOWED || symptom == SYMPTOM_NO_RECORD ||
	       symptom == SYMPTOM_WRONG_NAME;
}

static void check_partner(const struct doctor_view *view, const json_t *peer)
{
	const char *name = doctor_text_of(peer, "failure"),
		   *domain = doctor_text_of(peer, "domain");
	enum failure failure = failure_read(name, strlen(name));
	enum symptom symptom = symptom_of_failure(failure, doctor_text_of(peer, "why"));
	const char *parent = working_parent(view, domain);

	if (symptom == SYMPTOM_COUNT || !is_recent(peer))
		return;
	if (parent && is_forgotten(symptom)) {
		char *seen = describe(view, peer, failure);

		view->see(view, SYMPTOM_CHAT_DOMAIN, NULL, domain,
			  xasprintf("%s; users of %s pass", seen, parent));
		free(seen);
		return;
	}
	view->see(view, symptom, symptom == SYMPTOM_KEY_INVALID ? "warning" : NULL, domain,
		  describe(view, peer, failure));
}

static void check_routes(const struct doctor_view *view)
{
	const json_t *route;

	each(view, "dead_routes", route)
	{
		const char *domain = doctor_text_of(route, "domain");
		const json_t *probe = probe_of(view, "routes", domain);

		view->see(view, SYMPTOM_ROUTE_DEAD, NULL, domain,
			  xasprintf("%s%s%s", doctor_text_of(route, "why"),
				    probe ? "; by DNS: " : "", doctor_text_of(probe, "says")));
	}
}

void doctor_check_partners(const struct doctor_view *view)
{
	const json_t *peer;

	each(view, "peers", peer) check_partner(view, peer);
	check_routes(view);
}

/* Our own names */

static bool is_bad(const struct doctor_view *view, const char *domain)
{
	return doctor_is(probe_of(view, "domains", domain), "result", "bad");
}

/* A chat domain that fails where its users' domain does not was forgotten. */
static void check_record(const struct doctor_view *view, const json_t *probe)
{
	const char *domain = doctor_text_of(probe, "domain");
	const char *parent = doctor_parent(view, domain);
	bool forgotten = parent && !is_bad(view, parent);

	if (!is_bad(view, domain))
		return;
	view->see(view, forgotten ? SYMPTOM_CHAT_DOMAIN : SYMPTOM_OWN_RECORD, NULL, domain,
		  xasprintf("%s%s%s", doctor_text_of(probe, "says"),
			    forgotten ? "; well is that of " : "", forgotten ? parent : ""));
}

static void check_certificate(const struct doctor_view *view, const json_t *certificate)
{
	const char *uncovered = doctor_text_of(certificate, "uncovered");
	char *list = xstrdup(uncovered), *place = NULL;

	for (char *domain = strtok_r(list, ", ", &place); domain;
	     domain = strtok_r(NULL, ", ", &place)) {
		const char *parent = doctor_parent(view, domain);
		bool forgotten = parent && !doctor_lists(uncovered, parent);

		view->see(view, forgotten ? SYMPTOM_CHAT_DOMAIN : SYMPTOM_WRONG_NAME, NULL, domain,
			  xasprintf("our certificate (%s) does not name it; it names %s",
				    doctor_text_of(certificate, "setting"),
				    doctor_text_of(certificate, "names")));
	}
	free(list);
}

void doctor_check_domains(const struct doctor_view *view)
{
	const json_t *resolver = json_object_get(view->probes, "resolver"), *row;
	size_t index;
	json_t *probe;

	if (doctor_is(resolver, "result", "bad"))
		view->see(view, SYMPTOM_RESOLVER, NULL, "",
			  xstrdup(doctor_text_of(resolver, "says")));
	json_array_foreach(json_object_get(view->probes, "domains"), index, probe)
		check_record(view, probe);
	each(view, "certificates", row)
	{
		if (doctor_is(row, "setting", "tls.certificate"))
			check_certificate(view, row);
	}
}
