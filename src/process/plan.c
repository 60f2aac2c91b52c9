#include "process/plan.h"

#include "base/alloc.h"
#include "store/check.h"
#include "store/secret.h"

#include <stdlib.h>

static struct store_change *find_change(const struct plan *plan, const struct setting *setting)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->changes[i].setting == setting)
			return &plan->changes[i];
	}
	return NULL;
}

void plan_finish(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		setting_value_finish(&plan->changes[i].value);
	free(plan->changes);
	*plan = (struct plan){ 0 };
}

const struct setting_value *plan_value(const struct plan *plan, const struct store *store,
				       const struct setting *setting)
{
	const struct store_change *change = find_change(plan, setting);

	return change ? &change->value : store_value(store, setting);
}

void plan_take(struct plan *plan, const struct setting *setting, struct setting_value *value)
{
	struct store_change *change = find_change(plan, setting);

	if (change) {
		setting_value_finish(&change->value);
	} else {
		if (plan->count == plan->size) {
			plan->size = plan->size ? 2 * plan->size : 4;
			plan->changes =
				xrealloc(plan->changes, plan->size * sizeof(*plan->changes));
		}
		change = &plan->changes[plan->count++];
	}
	*change = (struct store_change){ .setting = setting, .value = *value };
	*value = (struct setting_value){ 0 };
}

bool plan_set(struct plan *plan, const struct setting *setting, const char *const *words,
	      size_t count, char **why)
{
	struct setting_value value;

	if (!setting_read(setting, words, count, &value, why))
		return false;
	if (!check_value(setting, &value, why)) {
		setting_value_finish(&value);
		return false;
	}
	plan_take(plan, setting, &value);
	return true;
}

bool plan_reset(struct plan *plan, const struct setting *setting, char **why)
{
	char secret[SECRET_DIGITS + 1];
	const char *word = secret;
	struct setting_value value;

	if (setting->random) {
		if (secret_make(secret))
			return plan_set(plan, setting, &word, 1, why);
		*why = xasprintf("%s: the system has no randomness", setting->name);
		return false;
	}
	setting_default(setting, &value); /* stored as that, so that the plan tells what will be */
	plan_take(plan, setting, &value);
	find_change(plan, setting)->reset = true;
	return true;
}

static bool has_key(const struct setting *setting, const char *row, const char *key)
{
	struct slice fields[SETTING_FIELDS_MAX];

	setting_split(setting, row, fields);
	return slice_is(fields[0], key);
}

const char *plan_row(const struct plan *plan, const struct store *store,
		     const struct setting *setting, const char *key)
{
	const struct setting_value *value = plan_value(plan, store, setting);

	for (size_t i = 0; i < value->count; i++) {
		if (has_key(setting, value->entries[i], key))
			return value->entries[i];
	}
	return NULL;
}

/* The rows with `row` (NULL: nothing) in the place of those with the key. */
static bool replace_row(struct plan *plan, const struct store *store, const struct setting *setting,
			const char *key, const char *row, char **why)
{
	const struct setting_value *value = plan_value(plan, store, setting);
	const char **rows = xcalloc(value->count + 1, sizeof(*rows));
	size_t count = 0;
	bool placed = !row, done;

	for (size_t i = 0; i < value->count; i++) {
		bool is_it = has_key(setting, value->entries[i], key);

		if (!is_it)
			rows[count++] = value->entries[i];
		else if (!placed)
			rows[count++] = row;
		placed = placed || is_it;
	}
	if (!placed)
		rows[count++] = row;
	done = count ? plan_set(plan, setting, rows, count, why) : plan_reset(plan, setting, why);
	free(rows);
	return done;
}

bool plan_put_row(struct plan *plan, const struct store *store, const struct setting *setting,
		  const char *row, char **why)
{
	size_t len = strcspn(row, " ");
	char *key = xstrndup(row, len);
	bool done = replace_row(plan, store, setting, key, row, why);

	free(key);
	return done;
}

bool plan_remove_row(struct plan *plan, const struct store *store, const struct setting *setting,
		     const char *key, char **why)
{
	if (!plan_row(plan, store, setting, key))
		return true;
	return replace_row(plan, store, setting, key, NULL, why);
}

void plan_drop_what_stays(struct plan *plan, const struct store *store)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct store_change *change = &plan->changes[i];

		if (setting_value_equals(store_value(store, change->setting), &change->value))
			setting_value_finish(&change->value);
		else
			plan->changes[kept++] = *change;
	}
	plan->count = kept;
}
