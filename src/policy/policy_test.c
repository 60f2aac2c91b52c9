#include "policy/policy.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define OURS "home.example"

/* One federated domain, one that isn't; all lists filled; federation on. */
static struct policy *sample(enum privacy_mode privacy, bool static_routes)
{
	struct policy *policy = policy_create();

	policy_set_enabled(policy, true);
	policy_set_privacy(policy, privacy);
	policy_set_static_routes(policy, static_routes);
	assert_true(policy_add_local(policy, slice_of("Home.Example."), true));
	assert_true(policy_add_local(policy, slice_of("chat.home.example"), true));
	assert_true(policy_add_local(policy, slice_of("quiet.example"), false));
	assert_true(policy_add_allowed(policy, slice_of("ALLOWED.example")));
	assert_true(policy_add_allowed(policy, slice_of("bücher.example")));
	assert_true(policy_add_allowed(policy, slice_of("both.example")));
	assert_true(policy_add_allowed(policy, slice_of(OURS)));
	assert_true(policy_add_denied(policy, slice_of("Denied.example.")));
	assert_true(policy_add_denied(policy, slice_of("routed-denied.example")));
	assert_true(policy_add_denied(policy, slice_of("both.example")));
	assert_true(policy_add_route(policy, slice_of("routed.example"), slice_of("192.0.2.9"),
				     5269, 0));
	assert_true(policy_add_route(policy, slice_of("routed-denied.example"),
				     slice_of("192.0.2.9"), 5269, 0));
	return policy;
}

static void a_new_policy_lets_nobody_talk(void **state)
{
	struct policy *policy = policy_create();
	struct policy_decision decision = policy_decide(policy, OURS, "allowed.example");

	assert_int_equal(decision.refused, FAILURE_FEDERATION_OFF);
	assert_int_equal(decision.security, SECURITY_TLS_REQUIRED);
	assert_true(decision.verify_certificate);
	assert_false(policy_is_enabled(policy));
	policy_set_enabled(policy, true);
	decision = policy_decide(policy, OURS, "allowed.example");
	assert_int_equal(decision.refused, FAILURE_NOT_FEDERATED);
	policy_add_local(policy, slice_of(OURS), true);
	decision = policy_decide(policy, OURS, "allowed.example");
	assert_int_equal(decision.refused, FAILURE_NOT_ON_ALLOW_LIST);
	policy_destroy(&policy);
	assert_null(policy);
	policy_destroy(&policy);
}

#define OK FAILURE_NONE
#define NOT_ALLOWED FAILURE_NOT_ON_ALLOW_LIST
#define DENIED FAILURE_ON_DENY_LIST
#define NOT_FED FAILURE_NOT_FEDERATED
#define OWN FAILURE_OWN_DOMAIN

/* Each row in each privacy mode, static routes off and on. */
static void the_outcome_follows_from_lists_and_routes(void **state)
{
	static const struct {
		const char *local, *remote;
		enum failure off, allow, allow_routes, deny, deny_routes;
	} rows[] = {
		{ OURS, "allowed.example", OK, OK, OK, OK, OK },
		{ "chat.home.example", "allowed.example", OK, OK, OK, OK, OK },
		{ OURS, "xn--bcher-kva.example", OK, OK, OK, OK, OK },
		{ OURS, "unknown.example", OK, NOT_ALLOWED, NOT_ALLOWED, OK, OK },
		{ OURS, "sub.allowed.example", OK, NOT_ALLOWED, NOT_ALLOWED, OK, OK },
		{ OURS, "example", OK, NOT_ALLOWED, NOT_ALLOWED, OK, OK },
		{ OURS, "denied.example", OK, NOT_ALLOWED, NOT_ALLOWED, DENIED, DENIED },
		{ OURS, "sub.denied.example", OK, NOT_ALLOWED, NOT_ALLOWED, OK, OK },
		{ OURS, "routed.example", OK, NOT_ALLOWED, OK, OK, OK },
		{ OURS, "routed-denied.example", OK, NOT_ALLOWED, OK, DENIED, DENIED },
		{ OURS, "both.example", OK, OK, OK, DENIED, DENIED },
		{ "quiet.example", "allowed.example", NOT_FED, NOT_FED, NOT_FED, NOT_FED, NOT_FED },
		{ "other.example", "allowed.example", NOT_FED, NOT_FED, NOT_FED, NOT_FED, NOT_FED },
		{ "sub.home.example", "allowed.example", NOT_FED, NOT_FED, NOT_FED, NOT_FED,
		  NOT_FED },
		/* from outside, somebody who says to be us: SEC-20a, SEC-21c */
		{ OURS, OURS, OWN, OWN, OWN, OWN, OWN },
		{ OURS, "chat.home.example", OWN, OWN, OWN, OWN, OWN },
		{ OURS, "quiet.example", OWN, OWN, OWN, OWN, OWN },
	};
	static const struct {
		enum privacy_mode privacy;
		bool routes;
		size_t column;
	} modes[] = {
		{ PRIVACY_OFF, false, 0 },	  { PRIVACY_OFF, true, 0 },
		{ PRIVACY_ALLOW_LIST, false, 1 }, { PRIVACY_ALLOW_LIST, true, 2 },
		{ PRIVACY_DENY_LIST, false, 3 },  { PRIVACY_DENY_LIST, true, 4 },
	};

	for (size_t m = 0; m < nitems(modes); m++) {
		struct policy *policy = sample(modes[m].privacy, modes[m].routes);

		for (size_t i = 0; i < nitems(rows); i++) {
			const enum failure expected[] = { rows[i].off, rows[i].allow,
							  rows[i].allow_routes, rows[i].deny,
							  rows[i].deny_routes };
			struct policy_decision decision =
				policy_decide(policy, rows[i].local, rows[i].remote);

			if (decision.refused != expected[modes[m].column])
				fail_msg("%s with %s, mode %zu: %s", rows[i].local, rows[i].remote,
					 m, failure_name(decision.refused));
		}
		policy_set_enabled(policy, false);
		for (size_t i = 0; i < nitems(rows); i++)
			assert_int_equal(
				policy_decide(policy, rows[i].local, rows[i].remote).refused,
				FAILURE_FEDERATION_OFF);
		policy_destroy(&policy);
	}
}

static void routes_come_by_priority_and_only_while_they_are_used(void **state)
{
	static const struct {
		const char *host;
		uint16_t port, priority;
		const char *kept;
	} added[] = {
		{ "third.example.", 5269, 20, "third.example" },
		{ "192.0.2.1", 5270, 0, "192.0.2.1" },
		{ "[2001:DB8::1]", 5269, 0, "2001:db8::1" },
		{ "2001:db8:0::2", 5269, 0, "2001:db8::2" },
		{ "Bücher.example", 5269, 10, "xn--bcher-kva.example" },
		{ "192.0.2.1", 5269, 20, "192.0.2.1" },
	};
	static const size_t order[] = { 1, 2, 3, 4, 0, 5 };
	struct policy *policy = sample(PRIVACY_OFF, true);
	struct policy_decision decision;

	for (size_t i = 0; i < nitems(added); i++)
		assert_true(policy_add_route(policy, slice_of("Far.example"),
					     slice_of(added[i].host), added[i].port,
					     added[i].priority));
	decision = policy_decide(policy, OURS, "far.example");
	assert_int_equal(decision.routes_count, nitems(order));
	for (size_t i = 0; i < nitems(order); i++) {
		assert_string_equal(decision.routes[i].host, added[order[i]].kept);
		assert_int_equal(decision.routes[i].port, added[order[i]].port);
		assert_int_equal(decision.routes[i].priority, added[order[i]].priority);
	}
	assert_int_equal(policy_decide(policy, OURS, "near.example").routes_count, 0);
	assert_null(policy_decide(policy, OURS, "sub.far.example").routes);
	policy_set_static_routes(policy, false);
	assert_int_equal(policy_decide(policy, OURS, "far.example").routes_count, 0);
	policy_destroy(&policy);
}

static void who_is_refused_gets_no_routes(void **state)
{
	struct policy *policy = sample(PRIVACY_DENY_LIST, true);
	struct policy_decision decision = policy_decide(policy, OURS, "routed-denied.example");

	assert_int_equal(decision.refused, FAILURE_ON_DENY_LIST);
	assert_null(decision.routes);
	assert_int_equal(decision.routes_count, 0);
	policy_destroy(&policy);
}

static void security_and_certificates_are_as_set(void **state)
{
	static const struct {
		enum security_mode mode;
		bool set, verify;
	} rows[] = {
		{ SECURITY_TLS_REQUIRED, true, true }, { SECURITY_TLS_REQUIRED, false, false },
		{ SECURITY_TLS_OPTIONAL, true, true }, { SECURITY_TLS_OPTIONAL, false, false },
		{ SECURITY_NO_TLS, true, false },      { SECURITY_NO_TLS, false, false },
	};
	struct policy *policy = sample(PRIVACY_OFF, false);

	for (size_t i = 0; i < nitems(rows); i++) {
		struct policy_decision decision;

		policy_set_security(policy, rows[i].mode);
		policy_set_verify_certificates(policy, rows[i].set);
		decision = policy_decide(policy, OURS, "allowed.example");
		assert_int_equal(decision.security, rows[i].mode);
		assert_int_equal(decision.verify_certificate, rows[i].verify);
	}
	policy_destroy(&policy);
}

/* SEC-22 */
static void entries_that_are_no_domains_are_refused(void **state)
{
	static char line[10240];
	const char *const rows[] = { "", "*", "*.example", "a b", "\xff.example", "a@b", line };
	struct policy *policy = sample(PRIVACY_OFF, true);
	struct slice good = slice_of("good.example"), host = slice_of("192.0.2.1");

	memset(line, 'a', sizeof(line) - 1);
	for (size_t i = 0; i < nitems(rows); i++) {
		struct slice bad = slice_of(rows[i]);

		assert_false(policy_add_allowed(policy, bad));
		assert_false(policy_add_denied(policy, bad));
		assert_false(policy_add_local(policy, bad, true));
		assert_false(policy_add_route(policy, bad, host, 5269, 0));
		assert_false(policy_add_route(policy, good, bad, 5269, 0));
	}
	assert_false(policy_add_route(policy, good, slice_of("192.0.2.256"), 5269, 0));
	assert_false(policy_add_route(policy, good, host, 0, 0));
	assert_int_equal(policy_decide(policy, OURS, "good.example").routes_count, 0);
	policy_destroy(&policy);
}

static void the_last_word_about_a_local_domain_counts(void **state)
{
	struct policy *policy = sample(PRIVACY_OFF, false);

	assert_true(policy_is_federated(policy, OURS));
	assert_true(policy_is_local(policy, "quiet.example"));
	assert_false(policy_is_federated(policy, "quiet.example"));
	assert_false(policy_is_local(policy, "allowed.example"));
	assert_false(policy_is_federated(policy, "allowed.example"));
	assert_true(policy_add_local(policy, slice_of("QUIET.example"), true));
	assert_true(policy_is_federated(policy, "quiet.example"));
	assert_true(policy_add_local(policy, slice_of(OURS), false));
	assert_true(policy_is_local(policy, OURS));
	assert_false(policy_is_federated(policy, OURS));
	policy_destroy(&policy);
}

static void a_list_may_have_a_hundred_thousand_domains(void **state)
{
	struct policy *policy = sample(PRIVACY_DENY_LIST, true);
	char domain[32];

	for (int i = 0; i < 200000; i++) { /* each twice */
		snprintf(domain, sizeof(domain), "d%d.example", i % 100000);
		assert_true(policy_add_denied(policy, slice_of(domain)));
		assert_true(
			policy_add_route(policy, slice_of(domain), slice_of("192.0.2.1"), 5269, 0));
	}
	for (int i = 0; i < 100100; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_int_equal(policy_decide(policy, OURS, domain).refused,
				 i < 100000 ? FAILURE_ON_DENY_LIST : FAILURE_NONE);
	}
	policy_destroy(&policy);
}

static void modes_have_names(void **state)
{
	static const char *const names[] = { "tls-required", "tls-optional", "no-tls" };
	static const char *const none[] = { "", "TLS-required", "tls-required ", "tls", "off-" };
	enum security_mode security;
	enum privacy_mode privacy;

	for (int i = SECURITY_TLS_REQUIRED; i <= SECURITY_NO_TLS; i++) {
		assert_true(security_mode_read(slice_of(names[i]), &security));
		assert_int_equal(security, i);
	}
	assert_true(privacy_mode_read(slice_of("off"), &privacy));
	assert_int_equal(privacy, PRIVACY_OFF);
	assert_true(privacy_mode_read(slice_of("allow-list"), &privacy));
	assert_int_equal(privacy, PRIVACY_ALLOW_LIST);
	assert_true(privacy_mode_read(slice_of("deny-list"), &privacy));
	assert_int_equal(privacy, PRIVACY_DENY_LIST);
	for (size_t i = 0; i < nitems(none); i++) {
		assert_false(security_mode_read(slice_of(none[i]), &security));
		assert_false(privacy_mode_read(slice_of(none[i]), &privacy));
	}
	assert_false(security_mode_read((struct slice){ NULL, 0 }, &security));
	assert_int_equal(security, SECURITY_NO_TLS);
	assert_int_equal(privacy, PRIVACY_DENY_LIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_policy_lets_nobody_talk),
		cmocka_unit_test(the_outcome_follows_from_lists_and_routes),
		cmocka_unit_test(routes_come_by_priority_and_only_while_they_are_used),
		cmocka_unit_test(who_is_refused_gets_no_routes),
		cmocka_unit_test(security_and_certificates_are_as_set),
		cmocka_unit_test(entries_that_are_no_domains_are_refused),
		cmocka_unit_test(the_last_word_about_a_local_domain_counts),
		cmocka_unit_test(a_list_may_have_a_hundred_thousand_domains),
		cmocka_unit_test(modes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
