#include "xmpp/s2s_pairs.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Longer as written than any prepared domain may be. */
#define LABEL                                                                                      \
	"\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82"     \
	"\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82."
#define LONG LABEL LABEL LABEL LABEL LABEL LABEL LABEL "example"

static bool passes(struct s2s_pairs *pairs, const char *from, const char *to)
{
	struct stanza_view stanza = { .from = slice_of(from), .to = slice_of(to) };
	struct policy *policy = policy_create();
	const char *condition;
	bool found = s2s_pairs_of(pairs, policy, &stanza, &condition) != NULL;

	policy_destroy(&policy);
	return found;
}

/* Every order in which the pairs and their near misses may follow one another. */
static void what_passed_before_does_not_let_anything_else_in(void **state)
{
	static const struct {
		const char *from, *to;
		bool passes;
	} rows[] = {
		{ "a@a.example/r", "b.example", true },
		{ "A.example", "x@B.example.", true },
		{ "c.example", "d.example", true },
		{ "c.example", LONG, true },
		{ "x@" LONG, "b.example", true },
		{ "a.example", "d.example", false },
		{ "c.example", "b.example", false },
		{ "b.example", "a.example", false },
		{ "a.example", LONG, false },
		{ LONG, "d.example", false },
		{ LONG, LONG, false },
		{ NULL, "b.example", false },
		{ "a.example", NULL, false },
		{ "a.example", "", false },
		{ "a.example@c.example", "b.example", false },
		{ "a.example ", "b.example", false },
	};
	char domain[DOMAIN_BYTES + 1];
	struct s2s_pairs pairs = { 0 };

	assert_true(strlen(LONG) > DOMAIN_BYTES && domain_prepare(slice_of(LONG), domain));
	s2s_pairs_add(&pairs, "a.example", "b.example");
	s2s_pairs_add(&pairs, "c.example", "d.example");
	s2s_pairs_add(&pairs, "c.example", domain);
	s2s_pairs_add(&pairs, domain, "b.example");
	for (size_t a = 0; a < nitems(rows); a++) {
		for (size_t b = 0; b < nitems(rows); b++) {
			for (size_t c = 0; c < nitems(rows); c++) {
				assert_int_equal(passes(&pairs, rows[a].from, rows[a].to),
						 rows[a].passes);
				assert_int_equal(passes(&pairs, rows[b].from, rows[b].to),
						 rows[b].passes);
				assert_int_equal(passes(&pairs, rows[c].from, rows[c].to),
						 rows[c].passes);
			}
		}
	}
	s2s_pairs_finish(&pairs);
}

static void a_pair_that_is_not_allowed_any_more_is_forgotten(void **state)
{
	struct policy *policy = policy_create();
	struct s2s_pairs pairs = { 0 };

	policy_set_enabled(policy, true);
	policy_set_privacy(policy, PRIVACY_ALLOW_LIST);
	assert_true(policy_add_allowed(policy, slice_of("a.example")));
	assert_true(policy_add_local(policy, slice_of("b.example"), true));
	s2s_pairs_add(&pairs, "a.example", "b.example");
	s2s_pairs_add(&pairs, "c.example", "b.example");
	s2s_pairs_add(&pairs, "a.example", "d.example");
	assert_true(passes(&pairs, "c.example", "b.example"));
	s2s_pairs_keep_allowed(&pairs, policy);
	assert_int_equal(pairs.count, 1);
	assert_true(passes(&pairs, "a.example", "b.example"));
	assert_false(passes(&pairs, "c.example", "b.example"));
	assert_false(passes(&pairs, "a.example", "d.example"));
	s2s_pairs_finish(&pairs);
	policy_destroy(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passed_before_does_not_let_anything_else_in),
		cmocka_unit_test(a_pair_that_is_not_allowed_any_more_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
