#include "process/configure.h"

#include "base/alloc.h"
#include "ipc/wire.h"
#include "process/value_text.h"
#include "store/check.h"
#include "store/pem.h"
#include "store/secret.h"
#include "tables/events.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <time.h>

#define HISTORY_MAX 100
#define CHANGES_MAX 2				     /* a setting, and one that goes with it */
#define WORD_BYTES ((size_t)SETTING_ENTRY_BYTES + 1) /* one more: so that the refusal names it */

enum { DONE = 0, REFUSED = 1 }; /* the status of a reply */

struct order {
	const struct configure *configure;
	const char *author;
	const char *const *words;
	size_t count;
	struct buffer out; /* for people */
};

struct plan {
	struct store_change changes[CHANGES_MAX];
	size_t count;
};

static struct store *store_of(const struct order *order)
{
	return order->configure->node->store;
}

/* Changing */

static void add_change(struct plan *plan, const struct setting *setting,
		       struct setting_value *value)
{
	assert(plan->count < CHANGES_MAX);
	plan->changes[plan->count++] = (struct store_change){ .setting = setting, .value = *value };
	*value = (struct setting_value){ 0 };
}

static void finish_plan(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		setting_value_finish(&plan->changes[i].value);
}

static bool add_words(struct plan *plan, const struct setting *setting, const char *const *words,
		      size_t count, char **why)
{
	struct setting_value value;

	if (!setting_read(setting, words, count, &value, why))
		return false;
	if (!check_value(setting, &value, why)) {
		setting_value_finish(&value);
		return false;
	}
	add_change(plan, setting, &value);
	return true;
}

/* Back to the default: stored as that, so that the plan tells what will be in force. */
static bool add_reset(struct plan *plan, const struct setting *setting, char **why)
{
	char secret[SECRET_DIGITS + 1];
	const char *word = secret;
	struct setting_value value;

	if (setting->random) {
		if (secret_make(secret))
			return add_words(plan, setting, &word, 1, why);
		*why = xasprintf("%s: the system has no randomness", setting->name);
		return false;
	}
	setting_default(setting, &value);
	add_change(plan, setting, &value);
	plan->changes[plan->count - 1].reset = true;
	return true;
}

/* The secret that was in force verifies keys until its successor is known everywhere. */
static void add_previous_secret(struct plan *plan, const struct order *order)
{
	const struct setting *setting = setting_find("federation.dialback_secret");
	const struct setting_value *old = store_value(store_of(order), setting);
	struct setting_value value;

	if (plan->changes[0].setting != setting || !old->count ||
	    setting_value_equals(old, &plan->changes[0].value))
		return;
	setting_value_copy(old, &value);
	add_change(plan, setting_find("federation.dialback_secret_previous"), &value);
}

/* Certificate and key in one text change at once: no moment in which they don't fit. */
static bool add_key_beside(struct plan *plan, const char *const *words, size_t count, char **why)
{
	if (plan->changes[0].setting != setting_find("tls.certificate") || !count ||
	    !pem_has_private_key(words[0]))
		return true;
	return add_words(plan, setting_find("tls.private_key"), words, 1, why);
}

static void drop_what_stays(struct plan *plan, const struct order *order)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct store_change *change = &plan->changes[i];

		if (setting_value_equals(store_value(store_of(order), change->setting),
					 &change->value))
			setting_value_finish(&change->value);
		else
			plan->changes[kept++] = *change;
	}
	plan->count = kept;
}

static void log_change(const struct setting *setting, const struct setting_value *before,
		       const struct setting_value *after)
{
	struct buffer old = { 0 }, new = { 0 };
	char *old_text, *new_text;

	value_text_line(&old, setting, before);
	value_text_line(&new, setting, after);
	old_text = buffer_take_text(&old);
	new_text = buffer_take_text(&new);
	if (strcmp(setting->name, "federation.enabled") == 0) /* the walk-through's own words */
		log_event(EVENT_CONFIG_CHANGED,
			  "xconfiguration xcpConfiguration is_federation_enabled - "
			  "changed from: %d to: %d",
			  strcmp(old_text, "on") == 0, strcmp(new_text, "on") == 0);
	else
		log_event(EVENT_CONFIG_CHANGED, "xconfiguration %s - changed from: %s to: %s",
			  setting->name, old_text, new_text);
	free(old_text);
	free(new_text);
}

static bool carry_out(struct order *order, struct plan *plan, char **why)
{
	struct setting_value before[CHANGES_MAX];
	unsigned seen_by = 0;
	bool stored;

	drop_what_stays(plan, order);
	if (!plan->count) {
		buffer_append_text(&order->out, "nothing to change\n");
		return true;
	}
	if (!check_together(store_of(order), plan->changes, plan->count, why))
		return false;
	for (size_t i = 0; i < plan->count; i++)
		setting_value_copy(store_value(store_of(order), plan->changes[i].setting),
				   &before[i]);
	stored = store_change(store_of(order), order->author, plan->changes, plan->count, why);
	for (size_t i = 0; i < plan->count; i++) {
		const struct store_change *change = &plan->changes[i];

		if (stored) {
			log_change(change->setting, &before[i], &change->value);
			value_text_lines(&order->out, change->setting, &change->value);
		}
		seen_by |= change->setting->seen_by;
		setting_value_finish(&before[i]);
	}
	if (stored)
		order->configure->changed(order->configure->arg, seen_by);
	return stored;
}

/* No words: back to the default. */
static bool set_words(struct order *order, const struct setting *setting, const char *const *words,
		      size_t count, char **why)
{
	struct plan plan = { 0 };
	bool done = count ? add_words(&plan, setting, words, count, why)
			  : add_reset(&plan, setting, why);

	if (done) {
		add_previous_secret(&plan, order);
		done = add_key_beside(&plan, words, count, why) && carry_out(order, &plan, why);
	}
	finish_plan(&plan);
	return done;
}

/* Verbs */

static const struct setting *find(const char *name, char **why)
{
	const struct setting *setting = setting_find(name);

	if (!setting)
		*why = xasprintf("%s: no such setting", name);
	return setting;
}

static bool is_ours(const struct order *order, const struct setting *setting)
{
	return (setting->roles & order->configure->node->bootstrap->role->bit) != 0;
}

static bool show(struct order *order, char **why)
{
	const char *prefix = order->count ? order->words[0] : "";

	for (size_t i = 0; i < settings_count; i++) {
		if (is_ours(order, &settings[i]) &&
		    strncmp(settings[i].name, prefix, strlen(prefix)) == 0)
			value_text_lines(&order->out, &settings[i],
					 store_value(store_of(order), &settings[i]));
	}
	if (buffer_len(&order->out))
		return true;
	*why = xasprintf("%s: no setting begins so", prefix);
	return false;
}

static bool get(struct order *order, char **why)
{
	const struct setting *setting = find(order->words[0], why);

	if (setting)
		value_text_lines(&order->out, setting, store_value(store_of(order), setting));
	return setting != NULL;
}

static bool set(struct order *order, char **why)
{
	const struct setting *setting = find(order->words[0], why);

	if (!setting)
		return false;
	if (setting->internal) {
		*why = xasprintf("%s: made by the node itself, not set by hand", setting->name);
		return false;
	}
	if (!is_ours(order, setting)) {
		*why = xasprintf("%s: not a setting of role %s", setting->name,
				 order->configure->node->bootstrap->role->name);
		return false;
	}
	return set_words(order, setting, order->words + 1, order->count - 1, why);
}

static bool node_add(struct order *order, char **why)
{
	const struct setting *nodes = setting_find("nodes");
	const struct setting_value *old = store_value(store_of(order), nodes);
	const char **rows = xcalloc(old->count + 1, sizeof(*rows));
	char *row = xasprintf("%s %s %s %s", order->words[0], order->words[1], order->words[2],
			      order->words[3]);
	bool done;

	for (size_t i = 0; i < old->count; i++)
		rows[i] = old->entries[i];
	rows[old->count] = row;
	done = set_words(order, nodes, rows, old->count + 1, why);
	free(row);
	free(rows);
	return done;
}

static bool node_remove(struct order *order, char **why)
{
	const struct setting *nodes = setting_find("nodes");
	const struct setting_value *old = store_value(store_of(order), nodes);
	const char **rows = xcalloc(old->count + 1, sizeof(*rows));
	struct slice fields[SETTING_FIELDS_MAX];
	size_t kept = 0;
	bool done = false;

	for (size_t i = 0; i < old->count; i++) {
		setting_split(nodes, old->entries[i], fields);
		if (!slice_is(fields[0], order->words[0]))
			rows[kept++] = old->entries[i];
	}
	if (kept == old->count)
		*why = xasprintf("%s: no such node", order->words[0]);
	else
		done = set_words(order, nodes, rows, kept, why);
	free(rows);
	return done;
}

static bool node_list(struct order *order, char **why)
{
	const struct setting_value *nodes = store_value(store_of(order), setting_find("nodes"));

	for (size_t i = 0; i < nodes->count; i++)
		buffer_printf(&order->out, "%s\n", nodes->entries[i]);
	return true;
}

static bool node_self(struct order *order, char **why)
{
	const struct node *node = order->configure->node;

	buffer_printf(&order->out, "name = %s\nrole = %s\npin = %s\nssh = %s\n",
		      node->bootstrap->name, node->bootstrap->role->name, node->pin, node->ssh_pin);
	return true;
}

static void tell_past(struct buffer *out, const struct store_past_change *change)
{
	const struct setting *setting = setting_find(change->name);
	time_t when = (time_t)change->time_s;
	char text[32] = "";
	struct tm day;

	if (gmtime_r(&when, &day))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &day);
	buffer_printf(out, "%" PRIu64 " %s %s: %s", change->revision, text, change->author,
		      change->name);
	if (setting) { /* without its row nobody knows what in it is secret */
		buffer_append_text(out, " from ");
		value_text_line(out, setting, &change->before);
		buffer_append_text(out, " to ");
		value_text_line(out, setting, &change->after);
	}
	buffer_append_text(out, "\n");
}

static bool history(struct order *order, char **why)
{
	struct store_past_change *changes;
	size_t count;

	if (!store_history(store_of(order), HISTORY_MAX, &changes, &count, why))
		return false;
	for (size_t i = 0; i < count; i++)
		tell_past(&order->out, &changes[i]);
	store_forget(changes, count);
	return true;
}

static const struct {
	const char *name;
	size_t min, max; /* words after the author */
	bool (*run)(struct order *order, char **why);
} verbs[] = {
	{ "show", 0, 1, show },
	{ "get", 1, 1, get },
	{ "set", 1, SETTING_ENTRIES_MAX + 1, set },
	{ "node-add", 4, 4, node_add },
	{ "node-remove", 1, 1, node_remove },
	{ "node-list", 0, 0, node_list },
	{ "node-self", 0, 0, node_self },
	{ "history", 0, 0, history },
};

static bool run(const char *verb, struct order *order, char **why)
{
	for (size_t i = 0; i < nitems(verbs); i++) {
		if (strcmp(verbs[i].name, verb) != 0)
			continue;
		if (order->count < verbs[i].min || order->count > verbs[i].max) {
			*why = xasprintf("%s: wrong number of arguments", verb);
			return false;
		}
		return verbs[i].run(order, why);
	}
	*why = xasprintf("%s: no such command", verb);
	return false;
}

static void answer(struct buffer *reply, uint8_t status, struct slice text)
{
	wire_put_u8(reply, status);
	wire_put_slice(reply, text);
}

/* What was typed may be a secret. */
static void free_words(char **words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		OPENSSL_cleanse(words[i], strlen(words[i]));
		free(words[i]);
	}
	free(words);
}

void configure(const struct configure *configure, struct slice request, struct buffer *reply)
{
	struct wire in = wire_read(request);
	size_t count = wire_get_u16(&in), read = 0;
	char **words = xcalloc(count + 1, sizeof(*words)), *why = NULL;
	struct order order = { .configure = configure };

	while (read < count && !in.failed)
		words[read++] = wire_get_text(&in, WORD_BYTES);
	if (count < 2 || !wire_is_done(&in)) {
		answer(reply, REFUSED, slice_of("the request cannot be read"));
		free_words(words, read);
		return;
	}
	order.author = words[1];
	order.words = (const char *const *)words + 2;
	order.count = count - 2;
	if (run(words[0], &order, &why)) {
		answer(reply, DONE,
		       (struct slice){ buffer_data(&order.out), buffer_len(&order.out) });
	} else {
		log_event(EVENT_CONFIG_REFUSED, "author=%s why=\"%s\"", log_text(order.author),
			  why);
		answer(reply, REFUSED, slice_of(why));
	}
	free(why);
	buffer_finish(&order.out);
	free_words(words, read);
}
