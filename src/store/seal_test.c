#include "store/seal.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sallyport-seal-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/secrets.key", folder);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(path);
	return rmdir(folder);
}

static struct seal *open_seal(void)
{
	char *why = NULL;
	struct seal *seal = seal_open(path, true, &why);

	if (!seal)
		fail_msg("%s", why);
	return seal;
}

static void what_was_sealed_opens_with_the_same_key(void **state)
{
	static const char *const texts[] = { "", "x", "sesame", "a longer text, with \x1e in it" };
	struct seal *seal = open_seal();

	for (size_t i = 0; i < nitems(texts); i++) {
		char *sealed = seal_close_text(seal, "name", texts[i]), *opened;

		assert_true(seal_is_closed(sealed));
		seal_close(&seal);
		seal = open_seal();
		opened = seal_open_text(seal, "name", sealed);
		assert_string_equal(opened, texts[i]);
		free(opened);
		free(sealed);
	}
	seal_close(&seal);
}

static void the_same_text_is_never_sealed_alike(void **state)
{
	struct seal *seal = open_seal();
	char *first = seal_close_text(seal, "name", "sesame");
	char *second = seal_close_text(seal, "name", "sesame");

	assert_string_not_equal(first, second);
	free(first);
	free(second);
	seal_close(&seal);
}

static void what_was_changed_or_moved_does_not_open(void **state)
{
	struct seal *seal = open_seal();
	char *sealed = seal_close_text(seal, "name", "sesame");

	assert_null(seal_open_text(seal, "another", sealed));
	for (size_t i = strlen("sealed:"); sealed[i]; i++) {
		char kept = sealed[i];

		sealed[i] = kept == 'A' ? 'B' : 'A';
		assert_null(seal_open_text(seal, "name", sealed));
		sealed[i] = kept;
	}
	while (*sealed && seal_is_closed(sealed)) {
		sealed[strlen(sealed) - 1] = '\0';
		if (seal_is_closed(sealed))
			assert_null(seal_open_text(seal, "name", sealed));
	}
	free(sealed);
	seal_close(&seal);
}

static void a_key_is_its_owners_alone(void **state)
{
	struct seal *seal = open_seal();
	struct stat st;
	char *why = NULL;

	seal_close(&seal);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(path, 0640), 0);
	assert_null(seal_open(path, true, &why));
	assert_non_null(strstr(why, "others than its owner can read it"));
	free(why);
}

static void a_file_that_is_no_key_is_refused(void **state)
{
	static const char *const contents[] = { "", "letter", "0123456789abcdef\n" };

	for (size_t i = 0; i < nitems(contents); i++) {
		FILE *file = fopen(path, "w");
		char *why = NULL;

		fputs(contents[i], file);
		fclose(file);
		assert_int_equal(chmod(path, 0600), 0);
		assert_null(seal_open(path, true, &why));
		assert_non_null(strstr(why, "not a key of Sallyport"));
		free(why);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_sealed_opens_with_the_same_key),
		TEST(the_same_text_is_never_sealed_alike),
		TEST(what_was_changed_or_moved_does_not_open),
		TEST(a_key_is_its_owners_alone),
		TEST(a_file_that_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
