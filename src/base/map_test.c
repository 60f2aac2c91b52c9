#include "base/map.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct slice key_of(size_t i, char text[32])
{
	snprintf(text, 32, "domain-%zu.example", i);
	return slice_of(text);
}

static void what_is_put_is_found_until_removed(void **state)
{
	static int values[3000];
	struct map map = { 0 };
	char text[32];

	for (size_t i = 0; i < nitems(values); i++)
		assert_null(map_put(&map, key_of(i, text), &values[i]));
	assert_ptr_equal(map_put(&map, key_of(5, text), &values[6]), &values[5]);
	assert_ptr_equal(map_put(&map, key_of(5, text), &values[5]), &values[6]);
	for (size_t i = 0; i < nitems(values); i += 2)
		assert_ptr_equal(map_remove(&map, key_of(i, text)), &values[i]);
	for (size_t i = 0; i < nitems(values); i++)
		assert_ptr_equal(map_get(&map, key_of(i, text)), i % 2 ? &values[i] : NULL);
	assert_int_equal(map.count, nitems(values) / 2);
	map_finish(&map);
}

static void a_walk_sees_each_entry_once_even_when_it_removes_them(void **state)
{
	static int seen[1000];
	struct map map = { 0 };
	size_t place = 0, count = 0;
	struct slice key;
	char text[32];
	int *value;

	for (size_t i = 0; i < nitems(seen); i++)
		map_put(&map, key_of(i, text), &seen[i]);
	while ((value = map_next(&map, &place, &key))) {
		assert_int_equal((*value)++, 0);
		if (count++ % 3)
			map_remove(&map, key);
	}
	assert_int_equal(count, nitems(seen));
	map_finish(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_until_removed),
		cmocka_unit_test(a_walk_sees_each_entry_once_even_when_it_removes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
