#include "process/configure_internal.h"

#include "base/alloc.h"
#include "ipc/wire.h"
#include "process/value_text.h"
#include "store/check.h"
#include "store/pem.h"
#include "tables/events.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <time.h>

#define HISTORY_MAX 100
#define CERT_NAMES_MAX 100
#define WORD_BYTES                                                                                 \
	((size_t)16 << 20) /* a whole file of settings; of an entry, setting_read knows more */

enum { DONE = 0, REFUSED = 1 }; /* the status of a reply */

/* The secret that was in force verifies keys until its successor is known everywhere. */
static void add_previous_secret(struct plan *plan, const struct store *store)
{
	const struct setting *setting = setting_find("federation.dialback_secret");
	const struct setting *overlap = setting_find("federation.dialback_secret_overlap");
	const struct setting_value *old = store_value(store, setting);
	struct setting_value value = { 0 };

	if (!old->count || setting_value_equals(old, plan_value(plan, store, setting)))
		return;
	if (strcmp(plan_value(plan, store, overlap)->entries[0], "0") != 0)
		setting_value_copy(old, &value);
	plan_take(plan, setting_find("federation.dialback_secret_previous"), &value);
}

const struct setting *order_key_of(const struct setting *certificate)
{
	static const char *const pairs[][2] = { { "tls.certificate", "tls.private_key" },
						{ "axl.certificate", "axl.private_key" },
						{ "admin.certificate", "admin.private_key" } };

	for (size_t i = 0; i < nitems(pairs); i++) {
		if (strcmp(pairs[i][0], certificate->name) == 0)
			return setting_find(pairs[i][1]);
	}
	return NULL;
}

bool order_add_key_beside(struct plan *plan, const struct setting *setting,
			  const char *const *words, size_t count, char **why)
{
	const struct setting *key = order_key_of(setting);

	return !key || !count || !pem_has_private_key(words[0]) ||
	       plan_set(plan, key, words, 1, why);
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

/* Of the dialback secret, manage sees the fingerprint. */
static unsigned concerns(const struct setting *setting)
{
	bool is_secret = strcmp(setting->name, "federation.dialback_secret") == 0;

	return setting->seen_by | (is_secret ? SEEN_BY_MANAGE : 0);
}

static bool store_plan(struct order *order, const struct plan *plan, char **why)
{
	struct setting_value *before = xcalloc(plan->count, sizeof(*before));
	unsigned seen_by = 0;
	bool stored;

	for (size_t i = 0; i < plan->count; i++)
		setting_value_copy(store_value(order_store(order), plan->changes[i].setting),
				   &before[i]);
	stored = store_change(order_store(order), order->author, plan->changes, plan->count, why);
	for (size_t i = 0; i < plan->count; i++) {
		const struct store_change *change = &plan->changes[i];

		if (stored) {
			log_change(change->setting, &before[i], &change->value);
			if (!order->tells_difference)
				value_text_lines(&order->out, change->setting, &change->value);
		}
		seen_by |= concerns(change->setting);
		setting_value_finish(&before[i]);
	}
	free(before);
	if (stored)
		order->configure->changed(order->configure->arg, seen_by);
	return stored;
}

bool order_carry_out(struct order *order, struct plan *plan, char **why)
{
	bool done = true;

	add_previous_secret(plan, order_store(order));
	plan_drop_what_stays(plan, order_store(order));
	if (!plan->count)
		buffer_append_text(&order->out, "nothing to change\n");
	else
		done = check_together(order_store(order), plan->changes, plan->count, why);
	if (order->tells_difference && !order->dry)
		order_write_differences(&order->out, order, plan);
	if (done && plan->count && order->dry)
		order_tell(order, plan);
	else if (done && plan->count)
		done = store_plan(order, plan, why);
	plan_finish(plan);
	return done;
}

/* No words: back to the default. */
static bool set_words(struct order *order, const struct setting *setting, const char *const *words,
		      size_t count, char **why)
{
	struct plan plan = { 0 };
	bool planned = (count ? plan_set(&plan, setting, words, count, why)
			      : plan_reset(&plan, setting, why)) &&
		       order_add_key_beside(&plan, setting, words, count, why);

	if (planned)
		return order_carry_out(order, &plan, why);
	plan_finish(&plan);
	return false;
}

/* Verbs */

static const struct setting *find(const char *name, char **why)
{
	const struct setting *setting = setting_find(name);

	if (!setting)
		*why = xasprintf("%s: no such setting", name);
	return setting;
}

static bool show(struct order *order, char **why)
{
	const char *prefix = order->count ? order->words[0] : "";

	for (size_t i = 0; i < settings_count; i++) {
		if (order_has(order, &settings[i]) &&
		    strncmp(settings[i].name, prefix, strlen(prefix)) == 0)
			value_text_lines(&order->out, &settings[i],
					 store_value(order_store(order), &settings[i]));
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
		value_text_lines(&order->out, setting, store_value(order_store(order), setting));
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
	if (!order_has(order, setting)) {
		*why = xasprintf("%s: not a setting of role %s", setting->name,
				 order->configure->node->bootstrap->role->name);
		return false;
	}
	return set_words(order, setting, order->words + 1, order->count - 1, why);
}

static bool node_self(struct order *order, char **why)
{
	const struct node *node = order->configure->node;

	buffer_printf(&order->out, "name = %s\nrole = %s\npin = %s\nssh-pin = %s\n",
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

	if (!store_history(order_store(order), HISTORY_MAX, &changes, &count, why))
		return false;
	for (size_t i = 0; i < count; i++)
		tell_past(&order->out, &changes[i]);
	store_forget(changes, count);
	return true;
}

static bool notification_delete_by_hand(struct order *order, char **why)
{
	if (order->configure->notices)
		return notices_delete(order->configure->notices, order->words[0], why);
	*why = xstrdup("there are no notifications here");
	return false;
}

static const struct {
	const char *name;
	size_t min, max; /* words after the author */
	bool (*run)(struct order *order, char **why);
} verbs[] = {
	{ "show", 0, 1, show },
	{ "get", 1, 1, get },
	{ "set", 1, SETTING_ENTRIES_MAX + 1, set },
	{ "node-add", 4, 4, order_node_add },
	{ "node-remove", 1, 1, order_node_remove },
	{ "node-list", 0, 0, order_node_list },
	{ "node-self", 0, 0, node_self },
	{ "history", 0, 0, history },
	{ "values", 0, 1, order_values },
	{ "export", 0, 0, order_export },
	{ "apply", 1, 1, order_apply },
	{ "diff", 2, 2, order_diff },
	{ "restore", 1, 1, order_restore },
	{ "notification-delete", 1, 1, notification_delete_by_hand },
	{ "home-server-add", 4, 5, order_home_server_add },
	{ "home-server-password", 2, 2, order_home_server_password },
	{ "home-server-remove", 1, 1, order_home_server_remove },
	{ "account-add", 2, 2, order_account_add },
	{ "account-remove", 1, 1, order_account_remove },
	{ "account-password", 2, 2, order_account_password },
	{ "edge-told", 4, 4, order_edge_told },
	{ "domains-told", 2, SETTING_ENTRIES_MAX, order_domains_told },
	{ "node-pair", 4, 6, order_node_pair },
	{ "home-server-put", 6, 7, order_home_server_put },
	{ "axl-user-put", 3, 3, order_axl_user_put },
	{ "realms-written", 0, SETTING_ENTRIES_MAX, order_realms_written },
	{ "cert-csr", 0, CERT_NAMES_MAX, order_cert_csr },
	{ "cert-install", 1, 1, order_cert_install },
	{ "log-level", 2, 3, order_log_level },
	{ "log-stanzas", 1, 2, order_log_stanzas },
	{ "rows-set", 0, SETTING_ENTRIES_MAX, order_rows_set },
};

/* `--dry-run` before the other words. */
static void take_dry_run(const char *verb, struct order *order)
{
	static const char *const dry[] = { "set", "apply", "restore" };

	for (size_t i = 0; i < nitems(dry); i++) {
		if (strcmp(verb, dry[i]) == 0 && order->count > 0 &&
		    strcmp(order->words[0], "--dry-run") == 0) {
			order->dry = true;
			order->words++;
			order->count--;
			return;
		}
	}
}

static bool run(const char *verb, struct order *order, char **why)
{
	take_dry_run(verb, order);
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

void configure_tried(struct configure_try *try, struct slice effects, struct buffer *reply)
{
	buffer_append_slice(&try->text, effects);
	if (effects.len && effects.data[effects.len - 1] != '\n')
		buffer_append_text(&try->text, "\n");
	answer(reply, DONE, (struct slice){ buffer_data(&try->text), buffer_len(&try->text) });
	buffer_finish(&try->text);
	buffer_finish(&try->snapshot);
	*try = (struct configure_try){ 0 };
}

void configure(const struct configure *configure, struct slice request, struct buffer *reply,
	       struct configure_try *try)
{
	struct wire in = wire_read(request);
	size_t count = wire_get_u16(&in), read = 0;
	char **words = xcalloc(count + 1, sizeof(*words)), *why = NULL;
	struct order order = { .configure = configure, .try = try };

	*try = (struct configure_try){ 0 };
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
	if (run(words[0], &order, &why) && try->wanted) {
		try->text = order.out;
		order.out = (struct buffer){ 0 };
	} else if (!why) {
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
