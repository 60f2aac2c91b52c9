#include "base/line_ring.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void add(struct line_ring *ring, const char *text)
{
	line_ring_add(ring, slice_of(text));
}

static void is(const struct line_ring *ring, uint64_t number, const char *text)
{
	assert_true(slice_is(line_ring_get(ring, number), text));
}

static void is_not_there(const struct line_ring *ring, uint64_t number)
{
	assert_null(line_ring_get(ring, number).data);
}

static void lines_are_numbered_from_one(void **state)
{
	struct line_ring *ring = line_ring_create(3, 100);

	assert_int_equal(line_ring_first(ring), 1);
	assert_int_equal(line_ring_last(ring), 0);
	assert_int_equal(line_ring_add(ring, slice_of("a")), 1);
	assert_int_equal(line_ring_add(ring, slice_of("b")), 2);
	is(ring, 1, "a");
	is(ring, 2, "b");
	is_not_there(ring, 0);
	is_not_there(ring, 3);
	line_ring_destroy(&ring);
	assert_null(ring);
}

static void the_oldest_make_room_for_lines(void **state)
{
	struct line_ring *ring = line_ring_create(3, 100);

	for (const char *const *t = (const char *const[]){ "a", "b", "c", "d", NULL }; *t; t++)
		add(ring, *t);
	assert_int_equal(line_ring_first(ring), 2);
	assert_int_equal(line_ring_last(ring), 4);
	is_not_there(ring, 1);
	is(ring, 4, "d");
	line_ring_destroy(&ring);
}

static void the_oldest_make_room_for_bytes(void **state)
{
	struct line_ring *ring = line_ring_create(10, 8);

	add(ring, "aaa");
	add(ring, "bbb");
	add(ring, "cccc"); /* ten bytes with all three */
	assert_int_equal(line_ring_first(ring), 2);
	add(ring, "longer than all that may be kept");
	assert_int_equal(line_ring_first(ring), 4);
	is(ring, 4, "longer than all that may be kept");
	line_ring_destroy(&ring);
}

static void another_size_keeps_the_newest(void **state)
{
	static const size_t sizes[] = { 2, 3, 5, 7 };
	char text[8];

	for (size_t i = 0; i < nitems(sizes); i++) {
		struct line_ring *ring = line_ring_create(4, 100);
		uint64_t first = 7 - (sizes[i] < 4 ? sizes[i] : 4);

		for (int n = 1; n <= 6; n++) {
			snprintf(text, sizeof(text), "%d", n);
			add(ring, text);
		}
		line_ring_resize(ring, sizes[i]);
		assert_int_equal(line_ring_first(ring), first);
		for (uint64_t n = first; n <= 6; n++) {
			snprintf(text, sizeof(text), "%d", (int)n);
			is(ring, n, text);
		}
		add(ring, "7");
		is(ring, 7, "7");
		line_ring_destroy(&ring);
	}
}

static void a_gap_is_seen(void **state)
{
	struct line_ring *ring = line_ring_create(4, 100);

	line_ring_skip_to(ring, 10); /* there was nothing: it begins there */
	assert_int_equal(line_ring_first(ring), 10);
	add(ring, "ten");
	line_ring_skip_to(ring, 12);
	add(ring, "twelve");
	is(ring, 10, "ten");
	is_not_there(ring, 11);
	is(ring, 12, "twelve");
	line_ring_skip_to(ring, 1000);
	add(ring, "thousand");
	is_not_there(ring, 12);
	is(ring, 1000, "thousand");
	assert_int_equal(line_ring_last(ring), 1000);
	line_ring_destroy(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_numbered_from_one),
		cmocka_unit_test(the_oldest_make_room_for_lines),
		cmocka_unit_test(the_oldest_make_room_for_bytes),
		cmocka_unit_test(another_size_keeps_the_newest),
		cmocka_unit_test(a_gap_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
