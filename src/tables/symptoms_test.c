#include "tables/symptoms.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void numbers_and_names_occur_once(void **state)
{
	for (enum symptom a = 0; a < SYMPTOM_COUNT; a++) {
		assert_int_equal(symptom_of(symptom_rows[a].number), a);
		for (enum symptom b = 0; b < a; b++)
			assert_string_not_equal(symptom_rows[a].name, symptom_rows[b].name);
	}
	assert_int_equal(symptom_of(0), SYMPTOM_COUNT);
	assert_int_equal(symptom_of(99), SYMPTOM_COUNT);
}

/* Those of the list that docs/symptoms.md began with. */
static void every_row_of_the_first_list_is_there(void **state)
{
	for (unsigned number = 1; number <= 44; number++)
		assert_int_not_equal(symptom_of(number), SYMPTOM_COUNT);
}

static void what_doctor_names_has_all_that_a_finding_needs(void **state)
{
	for (enum symptom s = 0; s < SYMPTOM_COUNT; s++) {
		const struct symptom_row *row = &symptom_rows[s];
		bool is_named = row->applies == SYMPTOM_DOCTOR;

		assert_true(*row->title && *row->cause);
		assert_int_equal(*row->fix != '\0', is_named);
		assert_int_equal(*row->severity != '\0', is_named);
		assert_true(is_named || !*row->command);
		assert_true(!*row->command || strncmp(row->command, "sallyport ", 10) == 0);
	}
}

/* "| 21 | symptom | yes: ... | ..." */
static bool page_has(const char *page, unsigned number, const char *applies)
{
	char *begin = xasprintf("\n| %u | ", number);
	const char *row = strstr(page, begin), *cell;

	free(begin);
	cell = row ? strstr(row + 4, " | ") : NULL;
	cell = cell ? strstr(cell + 1, " | ") : NULL;
	return cell && strncmp(cell + 3, applies, strlen(applies)) == 0;
}

static void the_page_of_symptoms_says_the_same(void **state)
{
	static const char *const words[] = { "yes", "later", "no" };
	const char *path = getenv("SYMPTOMS_PAGE");
	char *page = xcalloc(1, 100000);
	FILE *file;

	assert_non_null(path);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(page, 1, 99999, file) > 0);
	fclose(file);
	for (enum symptom s = 0; s < SYMPTOM_COUNT; s++) {
		if (!page_has(page, symptom_rows[s].number, words[symptom_rows[s].applies]))
			fail_msg("%s: row %u is missing, or does not say %s", path,
				 symptom_rows[s].number, words[symptom_rows[s].applies]);
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_occur_once),
		cmocka_unit_test(every_row_of_the_first_list_is_there),
		cmocka_unit_test(what_doctor_names_has_all_that_a_finding_needs),
		cmocka_unit_test(the_page_of_symptoms_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
