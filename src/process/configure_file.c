/* Settings as a text (tables/settings_text.h), and those of past revisions. */
#include "process/configure_internal.h"

#include "base/alloc.h"
#include "store/secret.h"
#include "tables/settings_text.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

/* Neither written by an export nor changed by a file: what the node made, and whom it is paired
 * with. */
static bool is_nodes_own(const struct setting *setting)
{
	return setting->internal || strcmp(setting->name, "nodes") == 0;
}

/* Kept when a file does not bring it along, and when an old revision is restored: a secret alone,
 * and the certificate to one that is a key. */
static bool is_kept(const struct setting *setting)
{
	return setting->shape == SETTING_ONE &&
	       (setting_is_secret(setting) || order_key_of(setting));
}

static void write_values(struct order *order, const char *prefix, bool all)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings[i];
		const struct setting_value *value = store_value(order_store(order), setting);
		struct setting_value otherwise;
		bool is_default;

		if (!order_has(order, setting) ||
		    strncmp(setting->name, prefix, strlen(prefix)) != 0)
			continue;
		setting_default(setting, &otherwise);
		is_default = setting_value_equals(value, &otherwise);
		setting_value_finish(&otherwise);
		if (all || (!is_default && !is_nodes_own(setting)))
			settings_text_write(&order->out, setting, value, secret_fingerprint);
	}
}

bool order_values(struct order *order, char **why)
{
	write_values(order, order->count ? order->words[0] : "", true);
	return true;
}

bool order_export(struct order *order, char **why)
{
	buffer_printf(&order->out,
		      "# Settings of %s (%s). What is not here is at its default; keys of the "
		      "node itself\n# and pairings are not in such a file. Secrets are named by "
		      "their fingerprints.\n",
		      order->configure->node->bootstrap->name,
		      order->configure->node->bootstrap->role->name);
	write_values(order, "", false);
	return true;
}

/* Secrets of a file */

/* The entry now in force that this one is to take the place of. */
static const char *counterpart(const struct order *order, const struct setting *setting,
			       struct slice key)
{
	const struct plan none = { 0 };
	char *name;
	const char *row;

	if (setting->shape != SETTING_RECORDS)
		return store_text(order_store(order), setting->name);
	name = xstrndup(key.data, key.len);
	row = plan_row(&none, order_store(order), setting, name);
	free(name);
	return row;
}

/* The field with the secret that its fingerprint stands for; false: there is none such. */
static bool put_secret(struct buffer *out, const struct setting *setting, const char *now,
		       size_t place, const char *wanted)
{
	struct slice fields[SETTING_FIELDS_MAX];
	char *secret, digits[SECRET_FINGERPRINT_DIGITS + 1];
	bool fits;

	if (!now || setting_split(setting, now, fields) <= place)
		return false;
	secret = xstrndup(fields[place].data, fields[place].len);
	secret_fingerprint(secret, digits);
	fits = strcmp(digits, wanted) == 0;
	if (fits)
		buffer_append_text(out, secret);
	OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
	return fits;
}

/* The caller's, who wipes it; NULL: *why. */
static char *resolve(const struct order *order, const struct setting *setting, const char *entry,
		     char **why)
{
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count = setting_split(setting, entry, fields);
	struct buffer out = { 0 };
	char wanted[SETTINGS_TEXT_DIGITS + 1];

	if (count > setting->fields_count) /* setting_read refuses it in its words */
		return xstrdup(entry);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buffer_append_text(&out, " ");
		if (!field_is_secret(&setting->fields[i]) ||
		    !settings_text_is_secret(fields[i], wanted)) {
			buffer_append_slice(&out, fields[i]);
		} else if (!put_secret(&out, setting, counterpart(order, setting, fields[0]), i,
				       wanted)) {
			*why = xasprintf("%s: the secret with the fingerprint %s is not the one "
					 "that is in force here; write it out",
					 setting->name, wanted);
			buffer_finish(&out);
			return NULL;
		}
	}
	return buffer_take_text(&out);
}

static bool plan_entries(const struct order *order, struct plan *plan,
			 const struct setting *setting, const struct setting_value *value,
			 char **why)
{
	char **words = xcalloc(value->count + 1, sizeof(*words));
	size_t count = 0;
	bool done = true;

	while (done && count < value->count) {
		words[count] = resolve(order, setting, value->entries[count], why);
		done = words[count] != NULL;
		count += done;
	}
	if (done && count)
		done = plan_set(plan, setting, (const char *const *)words, count, why) &&
		       order_add_key_beside(plan, setting, (const char *const *)words, count, why);
	else if (done)
		done = plan_reset(plan, setting, why);
	while (count) {
		count--;
		OPENSSL_cleanse(words[count], strlen(words[count]));
		free(words[count]);
	}
	free(words);
	return done;
}

static bool plan_named(const struct order *order, struct plan *plan, const struct setting *setting,
		       const struct setting_value *value, unsigned line, char **why)
{
	char *reason = NULL;

	if (!order_has(order, setting))
		reason = xasprintf("%s: not a setting of role %s", setting->name,
				   order->configure->node->bootstrap->role->name);
	else if (is_nodes_own(setting))
		reason = xasprintf("%s: not set by a file", setting->name);
	else if (plan_entries(order, plan, setting, value, &reason))
		return true;
	*why = xasprintf("line %u: %s", line, reason);
	free(reason);
	return false;
}

static bool plan_file(const struct order *order, const struct settings_text *text,
		      struct plan *plan, char **why)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings[i];
		unsigned line;
		const struct setting_value *value = settings_text_value(text, setting, &line);

		if (value) {
			if (!plan_named(order, plan, setting, value, line, why))
				return false;
		} else if (order_has(order, setting) && !is_nodes_own(setting) &&
			   !is_kept(setting) && !plan_reset(plan, setting, why)) {
			return false;
		}
	}
	return true;
}

bool order_apply(struct order *order, char **why)
{
	struct settings_text *text = settings_text_read(slice_of(order->words[0]), why);
	struct plan plan = { 0 };
	bool planned;

	if (!text)
		return false;
	order->tells_difference = true;
	planned = plan_file(order, text, &plan, why);
	settings_text_destroy(&text);
	if (planned)
		return order_carry_out(order, &plan, why);
	plan_finish(&plan);
	return false;
}

/* Past revisions */

static bool read_revision(const struct order *order, const char *word, uint64_t *revision,
			  char **why)
{
	char *end;

	if (strcmp(word, "now") == 0) {
		*revision = store_revision(order_store(order));
		return true;
	}
	errno = 0;
	*revision = strtoull(word, &end, 10);
	if (*word >= '0' && *word <= '9' && !*end && !errno)
		return true;
	*why = xasprintf("'%s' is neither the number of a revision nor `now`", word);
	return false;
}

/* NULL: *why. Freed by free_values. */
static struct setting_value *values_at(const struct order *order, const char *word, char **why)
{
	struct setting_value *values = xcalloc(settings_count, sizeof(*values));
	uint64_t revision;

	if (read_revision(order, word, &revision, why) &&
	    store_values_at(order_store(order), revision, values, why))
		return values;
	free(values);
	return NULL;
}

static void free_values(struct setting_value *values)
{
	for (size_t i = 0; values && i < settings_count; i++)
		setting_value_finish(&values[i]);
	free(values);
}

bool order_diff(struct order *order, char **why)
{
	struct setting_value *before = values_at(order, order->words[0], why);
	struct setting_value *after = before ? values_at(order, order->words[1], why) : NULL;

	for (size_t i = 0; after && i < settings_count; i++) {
		if (order_has(order, &settings[i]))
			order_write_difference(&order->out, &settings[i], &before[i], &after[i]);
	}
	free_values(before);
	free_values(after);
	return after != NULL;
}

static bool plan_past(const struct order *order, const struct setting_value *values,
		      struct plan *plan, char **why)
{
	bool planned = true;

	for (size_t i = 0; planned && i < settings_count; i++) {
		const struct setting *setting = &settings[i];
		const char *const *entries = (const char *const *)values[i].entries;

		if (!order_has(order, setting) || is_nodes_own(setting) || is_kept(setting))
			continue;
		planned = values[i].count ? plan_set(plan, setting, entries, values[i].count, why)
					  : plan_reset(plan, setting, why);
	}
	return planned;
}

/* What was another then and stays. */
static void tell_kept(struct order *order, const struct setting_value *values)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings[i];

		if (!order_has(order, setting) || (!is_nodes_own(setting) && !is_kept(setting)) ||
		    setting_value_equals(&values[i], store_value(order_store(order), setting)))
			continue;
		buffer_printf(&order->out, "%s: left as it is now\n", setting->name);
	}
}

bool order_restore(struct order *order, char **why)
{
	struct setting_value *values = values_at(order, order->words[0], why);
	struct plan plan = { 0 };
	bool planned;

	if (!values)
		return false;
	order->tells_difference = true;
	tell_kept(order, values);
	planned = plan_past(order, values, &plan, why);
	free_values(values);
	if (planned)
		return order_carry_out(order, &plan, why);
	plan_finish(&plan);
	return false;
}
