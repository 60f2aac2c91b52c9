#include "router/router.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define OURS "00000000000000000000000000000001"
#define THEIRS "00000000000000000000000000000002"

/* A port that keeps what it is given, and writes down what it is told. */
struct fake {
	struct port port;
	struct queue queue;
	char told[256];
};

static struct policy *policy;
static struct router *router;
static struct fake inside, outside;

static void keep(struct port *port, struct item *item)
{
	queue_push(&((struct fake *)port)->queue, item);
}

static void note(struct port *port, const char *instance, uint64_t number, enum link_fate fate,
		 enum failure failure)
{
	struct fake *fake = (struct fake *)port;

	snprintf(fake->told, sizeof(fake->told), "%s/%" PRIu64 " %d %s", instance, number,
		 (int)fate, failure_name(failure));
}

static int set_up(void **state)
{
	policy = policy_create();
	policy_set_enabled(policy, true);
	assert_true(policy_add_local(policy, slice_of("home.example"), true));
	assert_true(policy_add_local(policy, slice_of("hidden.example"), false));
	router = router_create(OURS, policy);
	inside = (struct fake){
		.port = { .name = "inside", .side = SIDE_IN, .send = keep, .settled = note }
	};
	outside = (struct fake){ .port = { .name = "outside",
					   .side = SIDE_OUT,
					   .send = keep,
					   .settled = note,
					   .relays = true } };
	router_add_route(router, "home.example", &inside.port);
	router_add_default(router, SIDE_OUT, &outside.port);
	return 0;
}

static int tear_down(void **state)
{
	router_destroy(&router);
	policy_destroy(&policy);
	return 0;
}

static void bring(struct fake *from, const char *instance, uint64_t number, const char *xml)
{
	struct stanza *stanza = stanza_make(slice_of(xml));

	router_take(router, &from->port, instance, number, &stanza);
}

static void stanzas_leave_by_the_other_side(void **state)
{
	bring(&inside, NULL, 0, "<message from='a@home.example' to='b@far.example'/>");
	assert_int_equal(outside.queue.count, 1);
	bring(&outside, THEIRS, 1, "<message from='b@far.example' to='a@home.example'/>");
	assert_int_equal(inside.queue.count, 1);
	assert_int_equal(outside.queue.count, 1);
}

static void what_breaks_a_rule_is_refused_whoever_brings_it(void **state)
{
	static const struct {
		bool from_outside;
		const char *xml, *failure;
	} rows[] = {
		{ true, "<message from='a@home.example' to='a@home.example'/>", "rule-broken" },
		{ true, "<message from='x@hidden.example' to='a@home.example'/>", "rule-broken" },
		{ true, "<message from='x@HOME.example' to='a@home.example'/>", "rule-broken" },
		{ true, "<message from='b@far.example' to='c@far.example'/>", "rule-broken" },
		{ true, "<message from='b@far.example' to='x@hidden.example'/>", "rule-broken" },
		{ true, "<message from='b@far.example'/>", "rule-broken" },
		{ true, "<message to='a@home.example'/>", "rule-broken" },
		{ false, "<message from='b@far.example' to='c@far.example'/>", "rule-broken" },
		{ false, "<message from='x@hidden.example' to='b@far.example'/>", "not-federated" },
		{ false, "<message from='a@home.example' to='b@home.example'/>", "own-domain" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct fake *from = rows[i].from_outside ? &outside : &inside;
		size_t before = inside.queue.count + outside.queue.count;
		char expected[128];

		bring(from, THEIRS, i + 1, rows[i].xml);
		snprintf(expected, sizeof(expected), THEIRS "/%zu %d %s", i + 1, LINK_REFUSED,
			 rows[i].failure);
		assert_string_equal(from->told, expected);
		if (rows[i].from_outside) /* another node makes the bounce */
			assert_int_equal(inside.queue.count + outside.queue.count, before);
	}
}

static void nothing_passes_while_federation_is_off(void **state)
{
	policy_set_enabled(policy, false);
	bring(&outside, THEIRS, 1, "<message from='b@far.example' to='a@home.example'/>");
	assert_string_equal(outside.told, THEIRS "/1 2 federation-off");
	assert_null(inside.queue.first);
	bring(&inside, THEIRS, 2, "<message from='a@home.example' to='b@far.example'/>");
	assert_string_equal(inside.told, THEIRS "/2 2 federation-off");
	assert_null(outside.queue.first);
	assert_int_equal(inside.queue.count, 1); /* its sender is told */
}

static void the_node_where_it_entered_bounces(void **state)
{
	struct item *item;

	bring(&inside, THEIRS, 5, "<message from='a@home.example/r' to='b@far.example' id='x'/>");
	item = outside.queue.first;
	router_settle(router, &item, LINK_REFUSED, FAILURE_NO_SUCH_DOMAIN);
	assert_null(outside.queue.first);
	assert_string_equal(inside.told, THEIRS "/5 2 no-such-domain");
	assert_int_equal(inside.queue.count, 1);
	assert_true(slice_is(inside.queue.first->stanza->to, "a@home.example/r"));
	assert_true(slice_is(inside.queue.first->stanza->from, "b@far.example"));
	assert_true(slice_is(inside.queue.first->stanza->type, "error"));
	assert_true(slice_is(inside.queue.first->stanza->id, "x"));
	assert_non_null(strstr(inside.queue.first->stanza->bytes.data, "remote-server-not-found"));
	assert_int_equal(router_count(router, ROUTER_BOUNCED), 1);
	/* And the bounce itself, lost, makes no other. */
	item = inside.queue.first;
	router_settle(router, &item, LINK_REFUSED, FAILURE_ATTACHMENT_DOWN);
	assert_int_equal(inside.queue.count + outside.queue.count, 0);
	assert_int_equal(router_count(router, ROUTER_UNBOUNCED), 1);
}

static void errors_and_results_are_never_bounced(void **state)
{
	static const char *const rows[] = {
		"<message from='a@home.example' to='b@far.example' type='error'/>",
		"<presence from='a@home.example' to='b@far.example' type='error'/>",
		"<iq from='a@home.example' to='b@far.example' id='1' type='result'/>",
		"<iq from='a@home.example' to='b@far.example' id='1' type='error'/>",
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct item *item;

		bring(&inside, NULL, 0, rows[i]);
		item = outside.queue.first;
		router_settle(router, &item, LINK_UNCERTAIN, FAILURE_NONE);
		assert_null(inside.queue.first);
	}
}

static void a_repeat_is_not_sent_again_and_its_fate_goes_to_whoever_brought_it_last(void **state)
{
	static struct fake second;
	struct item *item;

	second = (struct fake){ .port = outside.port };
	bring(&outside, THEIRS, 1, "<message from='b@far.example' to='a@home.example'/>");
	bring(&second, THEIRS, 1, "<message from='b@far.example' to='a@home.example'/>");
	assert_int_equal(inside.queue.count, 1);
	item = inside.queue.first;
	router_settle(router, &item, LINK_DELIVERED, FAILURE_NONE);
	assert_string_equal(outside.told, "");
	assert_string_equal(second.told, THEIRS "/1 0 none");
	bring(&outside, THEIRS, 1, "<message from='b@far.example' to='a@home.example'/>");
	assert_string_equal(outside.told, THEIRS "/1 0 none");
	assert_int_equal(inside.queue.count, 0);
	assert_int_equal(outside.port.open, 0);
	assert_int_equal(second.port.open, 0);
}

static void what_was_given_is_uncertain_and_the_rest_refused_when_a_queue_is_lost(void **state)
{
	bring(&outside, THEIRS, 1, "<message from='b@far.example' to='a@home.example'/>");
	bring(&outside, THEIRS, 2, "<message from='b@far.example' to='a@home.example'/>");
	inside.queue.first->given = true;
	router_settle_lost(router, &inside.queue, FAILURE_ATTACHMENT_DOWN);
	assert_string_equal(outside.told, THEIRS "/2 2 attachment-down");
	assert_int_equal(router_count(router, ROUTER_UNCERTAIN), 1);
	assert_int_equal(router_count(router, ROUTER_REFUSED), 1);
}

static void a_pair_always_takes_the_same_of_several_ports(void **state)
{
	static struct fake second;

	second = (struct fake){ .port = outside.port };
	router_add_default(router, SIDE_OUT, &second.port);
	for (int i = 0; i < 10; i++)
		bring(&inside, NULL, 0, "<message from='a@home.example' to='b@far.example'/>");
	assert_int_equal(outside.queue.count + second.queue.count, 10);
	assert_true(outside.queue.count == 0 || second.queue.count == 0);
}

static void who_finds_no_port_hears_why(void **state)
{
	static const char stanza[] = "<message from='a@home.example' to='b@far.example'/>";

	router_clear_routes(router);
	bring(&inside, NULL, 0, stanza);
	assert_non_null(strstr(inside.told, " no-route"));
	router_set_lack(router, SIDE_OUT, FAILURE_RESTART_PENDING);
	bring(&inside, NULL, 0, stanza);
	assert_non_null(strstr(inside.told, " restart-pending"));
	router_clear_routes(router);
	bring(&inside, NULL, 0, stanza);
	assert_non_null(strstr(inside.told, " no-route"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(stanzas_leave_by_the_other_side),
		TEST(what_breaks_a_rule_is_refused_whoever_brings_it),
		TEST(nothing_passes_while_federation_is_off),
		TEST(the_node_where_it_entered_bounces),
		TEST(errors_and_results_are_never_bounced),
		TEST(a_repeat_is_not_sent_again_and_its_fate_goes_to_whoever_brought_it_last),
		TEST(what_was_given_is_uncertain_and_the_rest_refused_when_a_queue_is_lost),
		TEST(a_pair_always_takes_the_same_of_several_ports),
		TEST(who_finds_no_port_hears_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
