#include "xmpp/dialback.h"

#include "base/alloc.h"
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define SECRET "s3cr3tf0rd14lb4ck"
#define OTHER "another secret of ours"

/* XEP-0185 section 3. */
static const struct dialback_claim example = { "example.org", "xmpp.example.com", "D60000229F" };
#define EXAMPLE_KEY "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"

static struct dialback_secret *created(const char *text, const char *previous)
{
	struct dialback_secret *secret = dialback_secret_create(text, previous);

	assert_non_null(secret);
	return secret;
}

static void the_example_of_the_xep_comes_out(void **state)
{
	struct dialback_secret *secret = created(SECRET, NULL);
	char key[DIALBACK_KEY_LEN + 1];

	for (int i = 0; i < 3; i++) { /* a key depends on no key before it */
		dialback_key(secret, &example, key);
		assert_string_equal(key, EXAMPLE_KEY);
	}
	assert_true(dialback_verify(secret, &example, slice_of(EXAMPLE_KEY)));
	dialback_secret_destroy(&secret);
	assert_null(secret);
	dialback_secret_destroy(&secret);
}

static void any_other_key_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"0",
		"37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b8932307564",
		EXAMPLE_KEY "0",
		" " EXAMPLE_KEY,
		EXAMPLE_KEY EXAMPLE_KEY,
		"37C69B1CF07A3F67C04A5EF5902FA5114F2C76FE4A2686482BA5B89323075643",
	};
	struct dialback_secret *secret = created(SECRET, OTHER);
	char key[] = EXAMPLE_KEY;

	for (size_t i = 0; i < nitems(rows); i++)
		assert_false(dialback_verify(secret, &example, slice_of(rows[i])));
	assert_false(dialback_verify(secret, &example, (struct slice){ NULL, 0 }));
	memset(key, 0, sizeof(key));
	assert_false(dialback_verify(secret, &example, (struct slice){ key, DIALBACK_KEY_LEN }));
	for (size_t i = 0; i < DIALBACK_KEY_LEN; i++) {
		memcpy(key, EXAMPLE_KEY, sizeof(key));
		key[i] ^= 1;
		assert_false(dialback_verify(secret, &example, slice_of(key)));
	}
	dialback_secret_destroy(&secret);
}

static void a_key_is_good_for_its_claim_only(void **state)
{
	static const struct dialback_claim others[] = {
		{ "xmpp.example.com", "example.org", "D60000229F" }, /* the other direction */
		{ "evil.example", "xmpp.example.com", "D60000229F" },
		{ "example.org", "other.example", "D60000229F" },
		{ "example.org", "xmpp.example.com", "D60000229E" },
		{ "example.org", "xmpp.example.com", "" },
	};
	struct dialback_secret *secret = created(SECRET, NULL);

	for (size_t i = 0; i < nitems(others); i++)
		assert_false(dialback_verify(secret, &others[i], slice_of(EXAMPLE_KEY)));
	dialback_secret_destroy(&secret);
}

/* SEC-03, and the ambiguity that XEP-0185 section 2 warns of: every way to cut one text into
 * target, sender and stream id gives a key of its own. */
static void no_two_cuts_of_one_text_have_the_same_key(void **state)
{
	static const char text[] = "example.inform.example.org0123";
	struct dialback_secret *secret = created(SECRET, NULL);
	size_t len = strlen(text), count = 0;
	struct map keys = { 0 };

	for (size_t i = 1; i < len; i++) {
		for (size_t j = i + 1; j <= len; j++, count++) {
			char target[32], sender[32], key[DIALBACK_KEY_LEN + 1];
			struct dialback_claim claim = { sender, target, text + j };

			snprintf(target, sizeof(target), "%.*s", (int)i, text);
			snprintf(sender, sizeof(sender), "%.*s", (int)(j - i), text + i);
			dialback_key(secret, &claim, key);
			assert_null(map_put(&keys, slice_of(key), secret));
		}
	}
	assert_int_equal(keys.count, count);
	map_finish(&keys);
	dialback_secret_destroy(&secret);
}

/* A stream id is the other server's choice; one that looks like more fields gains nothing. */
static void spaces_in_a_stream_id_make_no_other_claim(void **state)
{
	static const struct dialback_claim claims[] = {
		{ "b.example", "a.example", "c.example id" },
		{ "b.example", "a.example", " c.example id" },
		{ "c.example", "b.example", "id" },
		{ "c.example", "a.example", "b.example id" },
	};
	struct dialback_secret *secret = created(SECRET, NULL);
	char keys[nitems(claims)][DIALBACK_KEY_LEN + 1];

	for (size_t i = 0; i < nitems(claims); i++) {
		dialback_key(secret, &claims[i], keys[i]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i], keys[j]);
	}
	dialback_secret_destroy(&secret);
}

static void while_the_secret_is_changed_both_are_valid(void **state)
{
	struct dialback_secret *old = created(SECRET, NULL);
	struct dialback_secret *both = created(OTHER, SECRET);
	struct dialback_secret *new = created(OTHER, NULL);
	char key[DIALBACK_KEY_LEN + 1];

	assert_true(dialback_verify(both, &example, slice_of(EXAMPLE_KEY)));
	assert_false(dialback_verify(new, &example, slice_of(EXAMPLE_KEY)));
	dialback_key(both, &example, key);
	assert_string_not_equal(key, EXAMPLE_KEY); /* made with the new one at once */
	assert_true(dialback_verify(both, &example, slice_of(key)));
	assert_true(dialback_verify(new, &example, slice_of(key)));
	assert_false(dialback_verify(old, &example, slice_of(key)));
	dialback_secret_destroy(&old);
	dialback_secret_destroy(&both);
	dialback_secret_destroy(&new);
}

/* SEC-02 */
static void a_short_secret_is_refused(void **state)
{
	struct dialback_secret *secret = dialback_secret_create("0123456789abcdef", NULL);

	assert_non_null(secret);
	dialback_secret_destroy(&secret);
	assert_null(dialback_secret_create("", NULL));
	assert_null(dialback_secret_create("0123456789abcde", NULL));
	assert_null(dialback_secret_create(SECRET, ""));
	assert_null(dialback_secret_create(SECRET, "0123456789abcde"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_xep_comes_out),
		cmocka_unit_test(any_other_key_is_refused),
		cmocka_unit_test(a_key_is_good_for_its_claim_only),
		cmocka_unit_test(no_two_cuts_of_one_text_have_the_same_key),
		cmocka_unit_test(spaces_in_a_stream_id_make_no_other_claim),
		cmocka_unit_test(while_the_secret_is_changed_both_are_valid),
		cmocka_unit_test(a_short_secret_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
