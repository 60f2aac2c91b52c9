#include "router/custody.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define OURS "00000000000000000000000000000001"
#define THEIRS "00000000000000000000000000000002"

static struct stanza *message(void)
{
	return stanza_make(slice_of("<message from='a@example.net' to='b@example.org'/>"));
}

static enum custody_verdict take(struct custody *custody, const char *instance, uint64_t number,
				 struct item **item, enum link_fate *fate)
{
	struct stanza *stanza = message();
	enum failure failure = FAILURE_NONE;

	return custody_take(custody, instance, number, &stanza, item, fate, &failure);
}

static void settle(struct custody *custody, uint64_t number, enum link_fate fate)
{
	struct item *item = custody_find(custody, THEIRS, number);

	assert_non_null(item);
	custody_settle(custody, &item, fate, FAILURE_NONE);
	assert_null(item);
}

static void a_stanza_that_comes_again_is_known_and_its_fate_repeated(void **state)
{
	struct custody *custody = custody_create(OURS);
	struct item *first, *again;
	enum link_fate fate = LINK_REFUSED;

	assert_int_equal(take(custody, THEIRS, 7, &first, &fate), CUSTODY_NEW);
	assert_int_equal(take(custody, THEIRS, 7, &again, &fate), CUSTODY_OPEN);
	assert_ptr_equal(first, again);
	assert_int_equal(custody_open_count(custody), 1);
	settle(custody, 7, LINK_WRITTEN);
	assert_int_equal(custody_open_count(custody), 0);
	assert_int_equal(take(custody, THEIRS, 7, &again, &fate), CUSTODY_SETTLED);
	assert_int_equal(fate, LINK_WRITTEN);
	assert_int_equal(take(custody, THEIRS, 8, &again, &fate), CUSTODY_NEW);
	custody_destroy(&custody);
}

static void numbers_of_other_instances_are_other_stanzas(void **state)
{
	struct custody *custody = custody_create(OURS);
	struct item *item;
	enum link_fate fate;

	assert_int_equal(take(custody, THEIRS, 1, &item, &fate), CUSTODY_NEW);
	assert_int_equal(take(custody, "00000000000000000000000000000003", 1, &item, &fate),
			 CUSTODY_NEW);
	custody_destroy(&custody);
}

static void nobody_may_send_us_our_own_numbers(void **state)
{
	struct custody *custody = custody_create(OURS);
	struct stanza *stanza = message();
	struct item *item = custody_enter(custody, &stanza);
	enum link_fate fate = LINK_WRITTEN;

	assert_int_equal(item->number, 1);
	assert_int_equal(take(custody, OURS, 9, &item, &fate), CUSTODY_SETTLED);
	assert_int_equal(fate, LINK_REFUSED);
	custody_destroy(&custody);
}

/* Every order of settling a handful, and every number asked for afterwards. */
static void fates_are_remembered_in_whatever_order_they_come(void **state)
{
	static const int orders[][6] = {
		{ 1, 2, 3, 4, 5, 6 }, { 6, 5, 4, 3, 2, 1 }, { 1, 3, 5, 2, 4, 6 },
		{ 4, 1, 6, 2, 5, 3 }, { 3, 4, 2, 5, 1, 6 },
	};

	for (size_t o = 0; o < nitems(orders); o++) {
		struct custody *custody = custody_create(OURS);
		struct item *item;
		enum link_fate fate;

		for (uint64_t n = 1; n <= 6; n++)
			assert_int_equal(take(custody, THEIRS, n, &item, &fate), CUSTODY_NEW);
		for (size_t i = 0; i < 6; i++)
			settle(custody, (uint64_t)orders[o][i],
			       orders[o][i] == 4 ? LINK_UNCERTAIN : LINK_WRITTEN);
		for (uint64_t n = 1; n <= 6; n++) {
			assert_int_equal(take(custody, THEIRS, n, &item, &fate), CUSTODY_SETTLED);
			assert_int_equal(fate, n == 4 ? LINK_UNCERTAIN : LINK_WRITTEN);
		}
		assert_int_equal(take(custody, THEIRS, 7, &item, &fate), CUSTODY_NEW);
		custody_destroy(&custody);
	}
}

static void a_fate_that_had_to_make_room_is_uncertain_and_never_new(void **state)
{
	struct custody *custody = custody_create(OURS);
	struct item *item;
	enum link_fate fate = LINK_WRITTEN;

	/* Every second number: none joins its neighbour. */
	for (uint64_t n = 2; n <= UINT64_C(2) * (CUSTODY_RANGES_MAX + 10); n += 2) {
		assert_int_equal(take(custody, THEIRS, n, &item, &fate), CUSTODY_NEW);
		settle(custody, n, LINK_WRITTEN);
	}
	assert_int_equal(take(custody, THEIRS, 2, &item, &fate), CUSTODY_SETTLED);
	assert_int_equal(fate, LINK_UNCERTAIN);
	custody_destroy(&custody);
}

static void old_origins_make_room_but_those_with_open_stanzas_stay(void **state)
{
	struct custody *custody = custody_create(OURS);
	struct item *item;
	enum link_fate fate;
	char instance[LINK_INSTANCE_LEN + 1];

	assert_int_equal(take(custody, THEIRS, 1, &item, &fate), CUSTODY_NEW);
	for (unsigned i = 0; i < CUSTODY_ORIGINS_MAX + 10; i++) {
		snprintf(instance, sizeof(instance), "%032x", i + 16);
		assert_int_equal(take(custody, instance, 1, &item, &fate), CUSTODY_NEW);
		custody_settle(custody, &item, LINK_WRITTEN, FAILURE_NONE);
	}
	assert_int_equal(take(custody, THEIRS, 1, &item, &fate), CUSTODY_OPEN);
	/* The first of the others was forgotten: its number is new again. */
	snprintf(instance, sizeof(instance), "%032x", 16);
	assert_int_equal(take(custody, instance, 1, &item, &fate), CUSTODY_NEW);
	custody_destroy(&custody);
}

static void a_queue_keeps_order_and_counts(void **state)
{
	struct custody *custody = custody_create(OURS);
	struct queue queue = { 0 };
	struct item *items[3];

	for (size_t i = 0; i < 3; i++) {
		struct stanza *stanza = message();

		items[i] = custody_enter(custody, &stanza);
		queue_push(&queue, items[i]);
	}
	assert_int_equal(queue.count, 3);
	queue_remove(items[1]);
	queue_remove(items[1]);
	assert_ptr_equal(queue.first, items[0]);
	assert_ptr_equal(items[0]->next, items[2]);
	assert_ptr_equal(queue.last, items[2]);
	custody_settle(custody, &items[0], LINK_WRITTEN, FAILURE_NONE);
	custody_settle(custody, &items[2], LINK_WRITTEN, FAILURE_NONE);
	assert_null(queue.first);
	assert_null(queue.last);
	assert_int_equal(queue.bytes, 0);
	custody_destroy(&custody);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stanza_that_comes_again_is_known_and_its_fate_repeated),
		cmocka_unit_test(numbers_of_other_instances_are_other_stanzas),
		cmocka_unit_test(nobody_may_send_us_our_own_numbers),
		cmocka_unit_test(fates_are_remembered_in_whatever_order_they_come),
		cmocka_unit_test(a_fate_that_had_to_make_room_is_uncertain_and_never_new),
		cmocka_unit_test(old_origins_make_room_but_those_with_open_stanzas_stay),
		cmocka_unit_test(a_queue_keeps_order_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
