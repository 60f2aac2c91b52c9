#include "admin/why_report.h"

#include "base/alloc.h"
#include "ctl/protocol.h"
#include "ipc/snapshot.h"
#include "tables/failures.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What an operator does about it, where the table's advice says only what is wrong; and the command
 * that does it, with the domain for %s. */
static const struct remedy {
	enum failure failure;
	const char *fix, *command;
} remedies[] = {
	{ FAILURE_DNS_FAILED, NULL, "sallyport config get dns.servers" },
	{ FAILURE_TCP_REFUSED,
	  "let port 5269 out of here, and ask the domain's operator whether the server runs and "
	  "its "
	  "firewall lets us in",
	  NULL },
	{ FAILURE_TCP_UNREACHABLE, "look at this node's routes for the address family tried",
	  NULL },
	{ FAILURE_TCP_TIMEOUT,
	  "let port 5269 out of here, and ask the domain's operator the same for their side",
	  NULL },
	{ FAILURE_TLS_FAILED, "compare TLS versions and certificates of both sides",
	  "sallyport log domain=%s level=warn" },
	{ FAILURE_TLS_NOT_WANTED, "choose tls-optional or tls-required",
	  "sallyport config set federation.security_mode tls-optional" },
	{ FAILURE_CERTIFICATE_REFUSED,
	  "ask the domain's operator for a certificate that names the domain, with its whole "
	  "chain; or set tls.trust to all authorities that you trust, with this one (it "
	  "replaces those of this machine); federation.verify_server_certificates off would "
	  "take any",
	  NULL },
	{ FAILURE_PROTOCOL, "look at what the peer sent: something else may listen on that port",
	  "sallyport log domain=%s" },
	{ FAILURE_STREAM_ERROR, "ask the domain's operator, with the error word for word", NULL },
	{ FAILURE_HOST_UNKNOWN,
	  "correct the route, or ask the domain's operator to correct the record", NULL },
	{ FAILURE_DIALBACK_REFUSED, "compare the secrets of our edges and our own SRV record",
	  "sallyport doctor" },
	{ FAILURE_DIALBACK_ERROR, "look at our own SRV record and let port 5269 in",
	  "sallyport doctor" },
	{ FAILURE_TIMEOUT, "see below which step was the last; let port 5269 in",
	  "sallyport log domain=%s" },
	{ FAILURE_LOST, "nothing, unless it happens again and again", "sallyport probe %s" },
	{ FAILURE_FEDERATION_OFF, "switch federation on",
	  "sallyport config set federation.enabled on" },
	{ FAILURE_NOT_ON_ALLOW_LIST, "add the domain to federation.allow_list", NULL },
	{ FAILURE_ON_DENY_LIST, "take the domain off federation.deny_list", NULL },
	{ FAILURE_NOT_FEDERATED, "mark a domain of ours as federated, on the core", NULL },
	{ FAILURE_QUEUE_FULL, "see why the domain is not reached, or raise limits.queue_stanzas",
	  NULL },
	{ FAILURE_EXPIRED, "see why the domain was not reached, or raise limits.queue_seconds",
	  NULL },
	{ FAILURE_UNCERTAIN, "ask the sender to look whether it arrived", NULL },
	{ FAILURE_SHUTDOWN, "start the node", NULL },
	{ FAILURE_NO_ROUTE, "add a link or an attachment for it", "sallyport status" },
	{ FAILURE_NOT_PROVISIONED, "see the table and the edges", "sallyport routes" },
	{ FAILURE_RESTART_PENDING, "restart the router", "sallyport restart router" },
};

static const struct remedy *remedy_of(enum failure failure)
{
	static const struct remedy none = { FAILURE_NONE, NULL, NULL };

	for (size_t i = 0; i < nitems(remedies); i++) {
		if (remedies[i].failure == failure)
			return &remedies[i];
	}
	return &none;
}

/* Reading */

static struct slice field(const struct snapshot_record *r, size_t i)
{
	struct slice value = i < r->count ? r->fields[i] : (struct slice){ "", 0 };

	if (value.len > WHY_TEXT_BYTES)
		value.len = WHY_TEXT_BYTES;
	return value;
}

static json_t *text(const struct snapshot_record *r, size_t i)
{
	return protocol_string(field(r, i));
}

/* Absent where the field is empty. */
static json_t *text_or_null(const struct snapshot_record *r, size_t i)
{
	return field(r, i).len ? text(r, i) : json_null();
}

static json_t *number_or_null(const struct snapshot_record *r, size_t i)
{
	struct slice digits = field(r, i);
	json_int_t value = 0;

	if (!digits.len || digits.len > 15)
		return json_null();
	for (size_t k = 0; k < digits.len; k++) {
		if (digits.data[k] < '0' || digits.data[k] > '9')
			return json_null();
		value = value * 10 + (digits.data[k] - '0');
	}
	return json_integer(value);
}

static json_t *number(const struct snapshot_record *r, size_t i)
{
	json_t *value = number_or_null(r, i);

	return json_is_null(value) ? json_integer(0) : value;
}

static void append(json_t *object, const char *list, size_t most, json_t *item)
{
	json_t *array = json_object_get(object, list);

	if (json_array_size(array) < most)
		json_array_append_new(array, item);
	else
		json_decref(item);
}

static json_t *attempt_of(const struct snapshot_record *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[]}", "direction",
			 text(r, 1), "local", text(r, 2), "remote", text(r, 3), "xcoder",
			 text(r, 4), "began", number(r, 5), "took_ms", number(r, 6), "state",
			 text(r, 7), "failure", text_or_null(r, 8), "why", text(r, 9), "steps");
}

static void add_step(json_t *report, const struct snapshot_record *r)
{
	json_t *attempts = json_object_get(report, "attempts");
	size_t count = json_array_size(attempts);

	if (count)
		append(json_array_get(attempts, count - 1), "steps", WHY_STEPS_MAX,
		       json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "at_ms", number(r, 1), "took_ms",
				 number_or_null(r, 2), "who", text(r, 3), "name", text(r, 4),
				 "verdict", text(r, 5), "text", text(r, 6)));
}

/* It becomes a part of commands that people paste. */
static bool is_plain(struct slice domain)
{
	size_t len = 0;

	while (len < domain.len &&
	       (memchr("abcdefghijklmnopqrstuvwxyz0123456789.-_:", domain.data[len], 40)))
		len++;
	return len && len == domain.len;
}

static void add_record(json_t *report, const struct snapshot_record *r)
{
	struct slice name = r->fields[0];

	if (slice_is(name, "node")) {
		json_object_set_new(report, "node", text(r, 1));
		json_object_set_new(report, "role", text(r, 2));
	} else if (slice_is(name, "domain")) {
		json_object_set_new(report, "domain",
				    is_plain(field(r, 1)) ? text(r, 1) : json_string("?"));
		json_object_set_new(report, "ours", json_boolean(slice_is(field(r, 2), "ours")));
	} else if (slice_is(name, "fault")) {
		json_object_set_new(report, "fault", text(r, 1));
	} else if (slice_is(name, "policy")) {
		append(report, "policy", WHY_ROWS_MAX,
		       json_pack("{s:o, s:o, s:o, s:o}", "local", text(r, 1), "verdict", text(r, 2),
				 "why", text_or_null(r, 3), "route", text(r, 4)));
	} else if (slice_is(name, "queue")) {
		append(report, "queue", WHY_ROWS_MAX,
		       json_pack("{s:o, s:o, s:o, s:o}", "local", text(r, 1), "stanzas",
				 number(r, 3), "bytes", number(r, 4), "oldest_seconds",
				 number(r, 5)));
	} else if (slice_is(name, "retry")) {
		json_object_set_new(report, "retry_ms", number(r, 1));
	} else if (slice_is(name, "attempt")) {
		append(report, "attempts", WHY_ATTEMPTS_MAX, attempt_of(r));
	} else if (slice_is(name, "step")) {
		add_step(report, r);
	} else if (slice_is(name, "way")) {
		append(report, "ways", WHY_ROWS_MAX,
		       json_pack("{s:o, s:o}", "port", text(r, 1), "failure", text_or_null(r, 2)));
	} else if (slice_is(name, "ask")) {
		append(report, "ask", WHY_ROWS_MAX,
		       json_pack("{s:o, s:o, s:o}", "node", text(r, 1), "role", text(r, 2), "link",
				 text(r, 3)));
	}
}

/* Judging */

static const char *string_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool is(const json_t *object, const char *key, const char *value)
{
	return strcmp(string_of(object, key), value) == 0;
}

static enum failure failure_in(const json_t *object, const char *key)
{
	const char *name = string_of(object, key);

	return failure_read(name, strlen(name));
}

__attribute__((format(printf, 3, 4))) static void set_text(json_t *object, const char *key,
							   const char *format, ...)
{
	char words[WHY_TEXT_BYTES + 512];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	json_object_set_new(object, key, protocol_string(slice_of(words)));
}

/* Cause, fix and command by the table of failures; the advice is a cause, and often a fix behind a
 * colon. */
static void set_remedy(json_t *report, enum failure failure)
{
	const char *advice = failure_rows[failure].advice, *colon = strstr(advice, ": ");
	const char *stop = strstr(advice, ". ");
	const struct remedy *remedy = remedy_of(failure);
	size_t len = colon  ? (size_t)(colon - advice)
		     : stop ? (size_t)(stop - advice)
			    : strlen(advice);
	char command[WHY_TEXT_BYTES];

	set_text(report, "failure", "%s", failure_name(failure));
	set_text(report, "cause", "%.*s", (int)len, advice);
	if (remedy->fix || colon)
		set_text(report, "fix", "%s", remedy->fix ? remedy->fix : colon + 2);
	if (!remedy->command)
		return;
	snprintf(command, sizeof(command), "%s", remedy->command);
	if (strstr(command, "%s"))
		snprintf(command, sizeof(command), "%.*s%s%s",
			 (int)(strstr(remedy->command, "%s") - remedy->command), remedy->command,
			 string_of(report, "domain"), strstr(remedy->command, "%s") + 2);
	set_text(report, "command", "%s", command);
}

/* An outbound stream that only asked about keys says nothing about stanzas. */
static bool only_verified(const json_t *attempt)
{
	size_t i;
	json_t *step;

	if (!is(attempt, "direction", "out") ||
	    (!is(attempt, "state", "closed") && !is(attempt, "state", "running")) ||
	    json_is_string(json_object_get(attempt, "failure")))
		return false;
	json_array_foreach(json_object_get(attempt, "steps"), i, step)
	{
		if (is(step, "name", "verify") && is(step, "who", "us"))
			return true;
	}
	return false;
}

static bool was_ready(const json_t *attempt)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(attempt, "steps"), i, step)
	{
		if (is(step, "name", "ready"))
			return true;
	}
	return is(attempt, "state", "ready");
}

/* How a direction does, by the newest attempt that says something about it. Anybody may claim to
 * be the domain: a failed attempt inwards counts only where none ever succeeded. */
static const json_t *newest(const json_t *report, const char *direction)
{
	const json_t *found = NULL;
	size_t i;
	json_t *attempt;

	json_array_foreach(json_object_get(report, "attempts"), i, attempt)
	{
		if (!is(attempt, "direction", direction) || only_verified(attempt))
			continue;
		if (strcmp(direction, "in") == 0 && was_ready(attempt))
			return attempt;
		found = found ? found : attempt;
	}
	return found;
}

static bool failed(const json_t *attempt)
{
	return attempt && is(attempt, "state", "failed");
}

static bool broke(const json_t *attempt)
{
	return attempt && is(attempt, "state", "closed") &&
	       json_is_string(json_object_get(attempt, "failure"));
}

static bool is_open(const json_t *attempt)
{
	return attempt && is(attempt, "state", "ready");
}

static void set_seen(json_t *report, const json_t *attempt)
{
	json_t *steps = json_object_get(attempt, "steps");

	if (*string_of(attempt, "why")) {
		set_text(report, "seen", "%s", string_of(attempt, "why"));
		return;
	}
	for (size_t i = json_array_size(steps); i--;) {
		json_t *step = json_array_get(steps, i);

		if (is(step, "verdict", "bad")) {
			set_text(report, "seen", "%s", string_of(step, "text"));
			return;
		}
	}
}

static json_int_t waiting(const json_t *report)
{
	json_int_t count = 0;
	size_t i;
	json_t *queue;

	json_array_foreach(json_object_get(report, "queue"), i, queue) count +=
		json_integer_value(json_object_get(queue, "stanzas"));
	return count;
}

static void judge_failed(json_t *report, const json_t *attempt, bool other_works)
{
	const char *domain = string_of(report, "domain");
	enum failure failure = failure_in(attempt, "failure");
	json_int_t count = waiting(report);
	bool out = is(attempt, "direction", "out");

	set_text(report, "verdict", "failed");
	if (out && count)
		set_text(report, "headline", "%s is not reached: %s; %lld stanza%s", domain,
			 failure_rows[failure].text, (long long)count,
			 count == 1 ? " waits" : "s wait");
	else
		set_text(report, "headline", "%s %s: %s%s", domain,
			 out ? "is not reached" : "does not get in", failure_rows[failure].text,
			 !other_works ? ""
			 : out	      ? "; it reaches us"
				      : "; we reach it");
	set_remedy(report, failure);
	set_seen(report, attempt);
}

static enum failure refusal(const json_t *report)
{
	json_t *policies = json_object_get(report, "policy"), *policy;
	enum failure failure = FAILURE_NOT_FEDERATED;
	size_t i;

	json_array_foreach(policies, i, policy)
	{
		if (!is(policy, "verdict", "refused"))
			return FAILURE_NONE;
		failure = failure_in(policy, "why");
	}
	return failure;
}

static void judge_past(json_t *report, const json_t *out, const json_t *in)
{
	const char *domain = string_of(report, "domain");
	json_t *first = json_array_get(json_object_get(report, "policy"), 0);

	if (is_open(out) || is_open(in)) {
		set_text(report, "verdict", "up");
		set_text(report, "headline", "%s %s", domain,
			 is_open(out) && is_open(in) ? "is reached, and reaches us"
			 : is_open(out)		     ? "is reached"
						     : "reaches us");
	} else if (broke(out)) {
		enum failure failure = failure_in(out, "failure");

		set_text(report, "verdict", waiting(report) ? "waiting" : "idle");
		set_text(report, "headline", "%s was reached, then: %s", domain,
			 failure_rows[failure].text);
		set_remedy(report, failure);
		set_seen(report, out);
	} else if ((out && is(out, "state", "running")) || waiting(report)) {
		set_text(report, "verdict", "waiting");
		set_text(report, "headline", "%s is being tried now", domain);
	} else if (out || in || json_array_size(json_object_get(report, "attempts"))) {
		set_text(report, "verdict", "idle");
		set_text(report, "headline", "%s worked; no stream is open, and nothing waits",
			 domain);
	} else {
		set_text(report, "verdict", "never");
		set_text(report, "headline", "%s was never talked to; it may be, %s", domain,
			 is(first, "route", "static") ? "by a static route" : "by the DNS");
		set_text(report, "command", "sallyport probe %s", domain);
	}
}

/* Who claimed to be the domain since it got in last, and did not: it may be the domain, so it is
 * told; it may be anybody, so it is no verdict. */
static void add_claim(json_t *report, const json_t *in)
{
	char *headline;
	size_t i;
	json_t *attempt;

	if (!in || is_open(in))
		return;
	json_array_foreach(json_object_get(report, "attempts"), i, attempt)
	{
		if (!is(attempt, "direction", "in"))
			continue;
		if (!failed(attempt))
			return;
		headline = xstrdup(string_of(report, "headline"));
		set_text(report, "headline",
			 "%s; the last that claimed to be it did not get in: %s", headline,
			 failure_rows[failure_in(attempt, "failure")].text);
		free(headline);
		return;
	}
}

/* A node without a side to the world knows the way there and no more. */
static void judge_inside(json_t *report)
{
	json_t *way = json_array_get(json_object_get(report, "ways"), 0);
	json_t *ask = json_array_get(json_object_get(report, "ask"), 0);
	const char *domain = string_of(report, "domain"), *node = string_of(ask, "node");
	enum failure failure = failure_in(way, "failure");

	set_text(report, "verdict", "never");
	if (failure != FAILURE_NONE) {
		set_text(report, "verdict", "failed");
		set_text(report, "headline", "%s cannot be reached from %s: %s", domain,
			 string_of(report, "node"), failure_rows[failure].text);
		set_remedy(report, failure);
	} else if (*node) {
		set_text(report, "headline",
			 "%s talks to the world through %s, which knows more: ask there",
			 string_of(report, "node"), node);
	} else {
		set_text(report, "headline", "%s has no way to the world: it is paired with nobody",
			 string_of(report, "node"));
	}
}

static void judge(json_t *report)
{
	const json_t *out = newest(report, "out"), *in = newest(report, "in");
	const char *domain = string_of(report, "domain");
	enum failure failure = refusal(report);

	if (*string_of(report, "fault")) {
		set_text(report, "verdict", "failed");
		set_text(report, "headline", "%s: these settings cannot work: %s", domain,
			 string_of(report, "fault"));
	} else if (json_is_true(json_object_get(report, "ours"))) {
		set_text(report, "verdict", "refused");
		set_text(report, "headline",
			 "%s is a domain of ours: it is not reached by federation", domain);
	} else if (!is(report, "role", "edge")) {
		judge_inside(report);
	} else if (failure != FAILURE_NONE) {
		set_text(report, "verdict", "refused");
		set_text(report, "headline", "%s is refused here: %s", domain,
			 failure_rows[failure].text);
		set_remedy(report, failure);
	} else if (failed(out)) {
		judge_failed(report, out, is_open(in));
	} else if (failed(in)) {
		judge_failed(report, in, is_open(out));
	} else {
		judge_past(report, out, in);
		add_claim(report, in);
	}
}

json_t *why_report(struct slice records)
{
	const char *why;
	struct snapshot *snapshot = snapshot_read(records, &why);
	struct snapshot_record record;
	json_t *report;

	if (!snapshot)
		return NULL;
	report = json_pack("{s:s, s:s, s:s, s:s, s:n, s:s, s:s, s:s, s:n, s:s, s:[], s:[], s:n, "
			   "s:[], s:[], s:[]}",
			   "domain", "", "node", "", "role", "", "verdict", "never", "failure",
			   "headline", "", "cause", "", "fix", "", "command", "seen", "", "policy",
			   "queue", "retry_ms", "attempts", "ways", "ask");
	for (size_t place = 0; snapshot_next(snapshot, &place, &record);) {
		if (record.count)
			add_record(report, &record);
	}
	snapshot_destroy(&snapshot);
	judge(report);
	return report;
}

json_t *why_heard(const json_t *said, const char *node, const char *domain)
{
	json_t *report = json_deep_copy(said);
	json_t *unjudged =
		json_pack("{s:s, s:s, s:s, s:s, s:n, s:s, s:s, s:s, s:n, s:s}", "node", node,
			  "role", "edge", "domain", domain, "verdict", "never", "failure",
			  "headline", "", "cause", "", "fix", "", "command", "seen", "");

	json_object_update(report, unjudged);
	json_decref(unjudged);
	judge(report);
	return report;
}

/* The worst first: that is the one to look at. */
static size_t rank(const json_t *report)
{
	static const char *const verdicts[] = { "failed", "refused", "waiting",
						"up",	  "idle",    "never" };
	size_t i = 0;

	while (i < nitems(verdicts) && !is(report, "verdict", verdicts[i]))
		i++;
	return i;
}

json_t *why_merge(json_t *of, json_t *reports)
{
	static const char *const taken[] = { "verdict", "failure", "headline", "cause",
					     "fix",	"command", "seen" };
	size_t count = json_array_size(reports), i;
	json_t *worst = json_array_get(reports, 0), *report;

	json_array_foreach(reports, i, report) worst = rank(report) < rank(worst) ? report : worst;
	for (i = 0; worst && i < nitems(taken); i++)
		json_object_set(of, taken[i], json_object_get(worst, taken[i]));
	if (worst && count > 1)
		set_text(of, "headline", "on %s: %s", string_of(worst, "node"),
			 string_of(worst, "headline"));
	if (count == 1) {
		static const char *const parts[] = { "policy", "queue", "retry_ms", "attempts" };

		for (i = 0; i < nitems(parts); i++)
			json_object_set(of, parts[i], json_object_get(worst, parts[i]));
	}
	json_object_set_new(of, "nodes", reports);
	return of;
}
