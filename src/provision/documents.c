#include "provision/documents.h"

#include "base/alloc.h"
#include "provision/form.h"

#include <inttypes.h>
#include <stdlib.h>

#define DOMAINS_MAX 4000     /* in a message to control, and in a line, with room to spare */
#define DOMAIN_BYTES_MAX 512 /* as the settings take them; control looks closer */
#define FINGERPRINT_BYTES 64

static json_t *text(struct slice value)
{
	json_t *json = value.len ? json_stringn(value.data, value.len) : NULL;

	return json ? json : json_string("");
}

static json_t *flag(const struct snapshot *snapshot, const char *name)
{
	return json_boolean(snapshot_flag(snapshot, name, false));
}

/* Making */

static json_t *make_federation(const struct snapshot *snapshot, const char *other)
{
	return json_pack("{s:{s:o, s:o, s:o, s:o, s:o}}", "federation", "enabled",
			 flag(snapshot, "federation.enabled"), "security_mode",
			 text(snapshot_text(snapshot, "federation.security_mode")), "privacy_mode",
			 text(snapshot_text(snapshot, "federation.privacy_mode")),
			 "use_static_routes", flag(snapshot, "federation.use_static_routes"),
			 "secret", text(snapshot_text(snapshot, DOCUMENTS_FINGERPRINT)));
}

/* `of`: those that this home node serves; NULL: all. */
static json_t *domains(const struct snapshot *snapshot, const char *of)
{
	struct snapshot_record record;
	json_t *list = json_array();
	size_t place = 0;

	while (snapshot_each(snapshot, "domains", &place, &record)) {
		if (record.count < 3 ||
		    (of && (record.count < 4 || !slice_is(record.fields[3], of))))
			continue;
		json_array_append_new(list,
				      json_pack("{s:o, s:b}", "domain", text(record.fields[1]),
						"federated", slice_is(record.fields[2], "on")));
	}
	return list;
}

static json_t *secrets(const struct snapshot *snapshot)
{
	struct snapshot_record record;
	json_t *list = json_array();
	size_t place = 0;

	while (snapshot_each(snapshot, "edges", &place, &record)) {
		if (record.count >= 5)
			json_array_append_new(list, json_pack("{s:o, s:o}", "edge",
							      text(record.fields[1]), "secret",
							      text(record.fields[4])));
	}
	return list;
}

static json_t *make_for_edge(const struct snapshot *snapshot, const char *other)
{
	return json_pack("{s:o, s:o}", "domains", domains(snapshot, NULL), "secrets",
			 secrets(snapshot));
}

static json_t *make_for_home(const struct snapshot *snapshot, const char *other)
{
	return json_pack("{s:o}", "domains", domains(snapshot, other));
}

/* Reading. False: *why. */

struct words {
	char **list;
	size_t count;
};

static void add(struct words *words, char *word)
{
	words->list = xrealloc(words->list, (words->count + 2) * sizeof(*words->list));
	words->list[words->count++] = word;
	words->list[words->count] = NULL;
}

static void begin(struct words *words, const char *verb, const char *other, uint64_t revision)
{
	add(words, xstrdup(verb));
	add(words, xstrdup(other));
	add(words, xasprintf("%" PRIu64, revision));
}

/* A word of printable ASCII, so that control can split what it stands in. */
static bool is_word(const char *word, size_t most)
{
	size_t len = word ? strlen(word) : 0;

	for (size_t i = 0; i < len; i++) {
		if (word[i] <= ' ' || word[i] == 0x7f)
			return false;
	}
	return len > 0 && len <= most;
}

/* Of a domain in UTF-8: no white space, no control characters. */
static bool is_domain_text(const char *domain)
{
	size_t len = domain ? strlen(domain) : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)domain[i];

		if (c <= ' ' || c == 0x7f)
			return false;
	}
	return len > 0 && len <= DOMAIN_BYTES_MAX;
}

static bool read_federation(const json_t *document, struct words *words, const char **why)
{
	const json_t *federation = json_object_get(document, "federation");
	const json_t *enabled = json_object_get(federation, "enabled");
	const char *secret = json_string_value(json_object_get(federation, "secret"));

	if (!json_is_boolean(enabled)) {
		*why = "federation.enabled is missing";
		return false;
	}
	if (!is_word(secret, FINGERPRINT_BYTES)) {
		*why = "federation.secret is not a fingerprint";
		return false;
	}
	add(words, xstrdup(json_is_true(enabled) ? "on" : "off"));
	add(words, xstrdup(secret));
	return true;
}

static bool read_domains(const json_t *document, struct words *words, const char **why)
{
	const json_t *list = json_object_get(document, "domains"), *row;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > DOMAINS_MAX) {
		*why = json_is_array(list) ? "it has more than 4000 domains"
					   : "the list of domains is missing";
		return false;
	}
	json_array_foreach(list, i, row)
	{
		const char *domain = json_string_value(json_object_get(row, "domain"));
		const json_t *federated = json_object_get(row, "federated");

		if (!is_domain_text(domain) || !json_is_boolean(federated)) {
			*why = "a row of its domains lacks domain or federated";
			return false;
		}
		add(words, xasprintf("%s %s", domain, json_is_true(federated) ? "on" : "off"));
	}
	return true;
}

/* Who tells whom what. */
static const struct {
	const char *from, *to;
	json_t *(*make)(const struct snapshot *snapshot, const char *other);
	const char *verb;
	bool (*read)(const json_t *document, struct words *words, const char **why);
} rows[] = {
	{ "edge", "core", make_federation, "edge-told", read_federation },
	{ "core", "edge", make_for_edge, "domains-told", read_domains },
	{ "core", "home", make_for_home, "domains-told", read_domains },
};

json_t *document_make(const struct snapshot *snapshot, const char *other, const char *other_role)
{
	struct slice own = snapshot_text(snapshot, "node.role");

	for (size_t i = 0; i < nitems(rows); i++) {
		if (slice_is(own, rows[i].from) && strcmp(other_role, rows[i].to) == 0)
			return rows[i].make(snapshot, other);
	}
	return NULL;
}

char **document_read(const json_t *document, const char *own_role, const char *other,
		     const char *other_role, uint64_t revision, const char **why)
{
	struct words words = { 0 };

	for (size_t i = 0; i < nitems(rows); i++) {
		if (strcmp(other_role, rows[i].from) != 0 || strcmp(own_role, rows[i].to) != 0)
			continue;
		begin(&words, rows[i].verb, other, revision);
		if (rows[i].read(document, &words, why))
			return words.list;
		document_free_words(words.list);
		return NULL;
	}
	*why = "a node of its role has no settings to tell us";
	return NULL;
}

void document_free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

void document_each_secret(const json_t *document, document_secret_fn *take, void *arg)
{
	const json_t *list = json_object_get(document, "secrets"), *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		const char *edge = json_string_value(json_object_get(row, "edge"));
		const char *secret = json_string_value(json_object_get(row, "secret"));

		if (form_is_name(edge) && is_word(secret, FINGERPRINT_BYTES))
			take(arg, edge, secret);
	}
}
