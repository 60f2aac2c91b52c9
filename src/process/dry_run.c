/* What a change would do, told before it is made. */
#include "base/map.h"
#include "process/configure_internal.h"
#include "process/value_text.h"
#include "process/view.h"

static void index_entries(struct map *entries, const struct setting_value *value)
{
	for (size_t i = 0; i < value->count; i++)
		map_put(entries, slice_of(value->entries[i]), value->entries[i]);
}

/* Whether there are any. */
static bool write_those_not_in(struct buffer *out, const char *sign, const struct setting *setting,
			       const struct setting_value *value,
			       const struct setting_value *others)
{
	struct map entries = { 0 }; /* a list may have 100,000 */
	bool any = false;

	index_entries(&entries, others);
	for (size_t i = 0; i < value->count; i++) {
		struct setting_value one = { &value->entries[i], 1 };

		if (map_get(&entries, slice_of(value->entries[i])))
			continue;
		buffer_append_text(out, sign);
		value_text_lines(out, setting, &one);
		any = true;
	}
	map_finish(&entries);
	return any;
}

void order_write_difference(struct buffer *out, const struct setting *setting,
			    const struct setting_value *before, const struct setting_value *after)
{
	bool removed = write_those_not_in(out, "- ", setting, before, after);
	bool added = write_those_not_in(out, "+ ", setting, after, before);

	if (!removed && !added && !setting_value_equals(before, after))
		buffer_printf(out, "~ %s: the same entries in another order\n", setting->name);
}

void order_write_differences(struct buffer *out, const struct order *order, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		order_write_difference(out, plan->changes[i].setting,
				       store_value(order_store(order), plan->changes[i].setting),
				       &plan->changes[i].value);
}

static bool switches_federation_off(const struct store_change *change)
{
	return strcmp(change->setting->name, "federation.enabled") == 0 &&
	       strcmp(change->value.entries[0], "off") == 0;
}

/* What becomes of what runs, as far as the table tells. */
static void write_effect(struct buffer *out, const struct store_change *change)
{
	static const char *const effects[] = {
		[EFFECT_AT_ONCE] = "in force at once, for what is open too",
		[EFFECT_NEW_STREAMS] = "for new streams; those open go on as they were",
	};

	buffer_printf(out, "%s: %s\n", change->setting->name, effects[change->setting->effect]);
	if (switches_federation_off(change))
		buffer_append_text(out, "federation.enabled: off closes all streams with other "
					"domains, and nobody inside reaches the world until it is "
					"on again\n");
}

void order_tell(struct order *order, const struct plan *plan)
{
	unsigned seen_by = 0;

	order_write_differences(&order->out, order, plan);
	for (size_t i = 0; i < plan->count; i++) {
		write_effect(&order->out, &plan->changes[i]);
		seen_by |= plan->changes[i].setting->seen_by;
	}
	buffer_append_text(&order->out, "no process and no service is restarted\n");
	if (!(seen_by & SEEN_BY_TRAFFIC))
		return;
	order->try->wanted = true;
	view_write(order->configure->node, PROCESS_TRAFFIC, 0, &view_system, plan,
		   &order->try->snapshot);
}
