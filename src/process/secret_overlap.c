#include "process/secret_overlap.h"

#include "base/alloc.h"
#include "process/configure_internal.h"
#include "tables/events.h"

#include <stdlib.h>
#include <time.h>

#define LOOK_S 3600 /* at least so often: clocks are set, and a disk that was full may not be */
#define AUTHOR "sallyportd"

struct secret_overlap {
	struct timer timer;
	struct loop *loop;
	const struct configure *configure;
};

static void drop(struct secret_overlap *overlap, const struct setting *previous)
{
	struct configure_try try = { 0 };
	struct order order = { .configure = overlap->configure, .author = AUTHOR, .try = &try };
	struct plan plan = { 0 };
	char *why = NULL;

	if (!plan_reset(&plan, previous, &why) || !order_carry_out(&order, &plan, &why)) {
		log_event(EVENT_CONFIG_REFUSED, "author=" AUTHOR " why=\"%s\"", why);
		loop_arm(overlap->loop, &overlap->timer, LOOK_S * 1000);
	}
	plan_finish(&plan);
	free(why);
	buffer_finish(&order.out);
}

static void look(struct secret_overlap *overlap)
{
	const struct setting *previous = setting_find("federation.dialback_secret_previous");
	struct store *store = overlap->configure->node->store;
	int64_t changed_s, left_s;
	char *why = NULL;

	loop_disarm(overlap->loop, &overlap->timer);
	if (!store_value(store, previous)->count)
		return;
	left_s = strtoll(store_text(store, "federation.dialback_secret_overlap"), NULL, 10);
	if (store_changed_at(store, previous, &changed_s, &why))
		left_s -= (int64_t)time(NULL) - changed_s;
	free(why);
	if (left_s <= 0)
		drop(overlap, previous);
	else
		loop_arm(overlap->loop, &overlap->timer,
			 (uint64_t)(left_s < LOOK_S ? left_s : LOOK_S) * 1000);
}

static void on_timer(struct timer *timer)
{
	look((void *)((char *)timer - offsetof(struct secret_overlap, timer)));
}

/* Never from inside of a change: a look may make one of its own. */
void secret_overlap_changed(struct secret_overlap *overlap)
{
	if (overlap)
		loop_arm(overlap->loop, &overlap->timer, 0);
}

struct secret_overlap *secret_overlap_create(struct loop *loop, const struct configure *configure)
{
	struct secret_overlap *overlap = xcalloc(1, sizeof(*overlap));

	overlap->loop = loop;
	overlap->configure = configure;
	overlap->timer.fire = on_timer;
	secret_overlap_changed(overlap);
	return overlap;
}

void secret_overlap_destroy(struct secret_overlap **overlap)
{
	if (!*overlap)
		return;
	loop_disarm((*overlap)->loop, &(*overlap)->timer);
	free(*overlap);
	*overlap = NULL;
}
