/* What a gateway tells of the domains of the world: why, probe, watches, stanza logs. */
#include "router/gateway_dialogue.h"

#include <sys/mman.h>
#include <time.h>

static void why_tells_each_step_of_an_attempt(void **state)
{
	start();
	users_send(1);
	AWAIT(world_has_one);
	command(&edge, "why", "far.example");
	IN_ORDER(records(), "\nnode|edge-a|edge", "\ndomain|far.example|foreign",
		 "\npolicy|home.example|allowed||static", "\nattempt|out|home.example|far.example|",
		 "|ready||", "|policy|policy|ok|home.example and far.example may talk, by a static",
		 "|peer|tcp|ok|connected to 127.0.0.1:", "|peer|stream|info|<stream:stream ",
		 "|peer|features|info|<stream:features>", "|us|dialback|info|<db:result ",
		 "|peer|dialback|ok|<db:result ", "|peer|ready|ok|");
	assert_null(strstr(records(), "\nretry|"));
	command(&core, "why", "far.example");
	IN_ORDER(records(), "\nnode|core-a|core", "\nway|edge-a|", "\nask|edge-a|edge|linked");
	assert_null(strstr(records(), "attempt"));
	command(&edge, "why", "never.example");
	IN_ORDER(records(), "\npolicy|home.example|allowed||dns");
	assert_null(strstr(records(), "attempt"));
	ask(&edge, "why", "not a domain", NULL);
	assert_false(answered.done);
}

static void why_tells_the_other_direction_too(void **state)
{
	start();
	world_send(world_comes(), 1);
	AWAIT(users_have_one);
	command(&edge, "why", "far.example");
	IN_ORDER(records(), "\nattempt|in|home.example|far.example|", "|ready||",
		 "|peer|tcp|ok|from 127.0.0.1", "|us|verify|info|asking the server of far.example",
		 "|peer|verify|ok|the key is theirs", "|us|ready|ok|");
	assert_true(SHOWS(&edge, "peer", "far.example", "none", "ready", "0", "", "", "", "", "1"));
	assert_true(SHOWS(&edge, "counter", "dialback.verified.valid", "1"));
	assert_true(SHOWS(&edge, "counter", "setups.in.ready", "1"));
	assert_true(SHOWS(&edge, "counter", "stanzas.in", "1"));
	assert_true(SHOWS(&core, "counter", "stanzas.in", "1"));
	assert_true(SHOWS(&core, "counter", "stanzas.out", "0"));
	assert_true(SHOWS(&edge, "histogram", "setup_in", "+Inf", "1"));
}

static bool edge_waits_for_the_retry(void)
{
	command(&edge, "why", "far.example");
	return strstr(records(), "\nretry|") != NULL;
}

static void why_names_what_failed_and_what_waits(void **state)
{
	set.dead_route = true;
	start();
	script_end(&world);
	world = (struct script){ .fd = -1 };
	users_send(1);
	AWAIT(edge_waits_for_the_retry);
	IN_ORDER(records(), "\nqueue|home.example|far.example|1|", "\nretry|", "\nattempt|out|",
		 "|failed|tcp-refused|", "|peer|tcp|bad|127.0.0.1:1: ", "|peer|tcp|bad|127.0.0.1:");
	assert_true(SHOWS(&edge, "peer", "far.example", "waiting", "none", "1", "", "tcp-refused"));
	assert_true(SHOWS(&edge, "counter", "setups.out.failed.tcp-refused", "1"));
}

static bool is_answered(void)
{
	return answered.count > 0;
}

static bool world_heard_two_headers(void)
{
	return heard(&world, "<stream:stream", NULL) == 2;
}

static void a_probe_goes_up_to_authentication_and_sends_nothing(void **state)
{
	start();
	answered.count = 0;
	ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 0);
	AWAIT(is_answered);
	assert_true(answered.done);
	IN_ORDER(records(), "\npolicy|home.example|allowed", "\nattempt|out|home.example|",
		 "|ready||", "|peer|dialback|ok|", "|peer|ready|ok|");
	AWAIT(world_heard_a_footer);
	assert_int_equal(heard(&world, "<message", NULL), 0);
	users_send(1); /* takes a stream of its own */
	AWAIT(world_has_one);
	assert_int_equal(heard(&world, "<stream:stream", NULL), 2);
}

static void a_probe_leaves_the_stream_that_is_there(void **state)
{
	char xcoder[32], after[32];

	start();
	users_send(1);
	AWAIT(world_has_one);
	assert_true(find_stream(&edge, "out", xcoder));
	answered.count = 0;
	ask(&edge, "probe", "far.example", "home.example");
	AWAIT(world_heard_two_headers);
	AWAIT(is_answered);
	AWAIT(world_heard_a_footer);
	assert_int_equal(heard(&world, "<message", NULL), 1);
	PASSES(NULL, 50);
	assert_true(find_stream(&edge, "out", after));
	users_send(2);
	wanted = 2;
	AWAIT(world_has_all);
	assert_int_equal(heard(&world, "<stream:stream", NULL), 2);
}

static void a_probe_that_is_refused_says_why(void **state)
{
	set.mode = "allow-list";
	set.uses_dns = true;
	manner.result_error = true;
	start();
	answered.count = 0;
	ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 1); /* at once: nobody is dialled */
	IN_ORDER(records(), "\npolicy|home.example|refused|not-on-allow-list|dns", "\nattempt|out|",
		 "|failed|not-on-allow-list|", "|policy|policy|bad|");
	assert_int_equal(resolver.asked, 0);
	ask(&edge, "probe", "far.example", "else.example");
	assert_false(answered.done);
	ask(&core, "probe", "far.example", "-");
	assert_false(answered.done);
	IN_ORDER(answered.text, "no side to the world");
	set.mode = NULL;
	set.uses_dns = false;
	apply(&edge);
	answered.count = 0;
	ask(&edge, "probe", "far.example", "-");
	AWAIT(is_answered);
	IN_ORDER(records(), "\nattempt|out|", "|failed|", "|peer|dialback|bad|<db:result ");
	AWAIT(world_heard_a_footer);
}

static void there_are_four_probes_at_most(void **state)
{
	manner.no_features = true;
	start();
	answered.count = 0;
	for (int i = 0; i < 4; i++)
		ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 0);
	ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 1);
	assert_false(answered.done);
	IN_ORDER(answered.text, "4 probes run already");
	command(&edge, "why", "far.example"); /* and the gateway may go while they run */
	IN_ORDER(records(), "|running||", "|running||", "|running||");
}

/* The log of this process, while it is kept. */
static int log_fd = -1;

static void keep_log(void)
{
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(log_fd >= 0);
	log_to(log_fd);
}

static char *kept_log(void)
{
	off_t len = lseek(log_fd, 0, SEEK_END);
	char *text = xcalloc(1, (size_t)len + 1);

	log_to(STDERR_FILENO);
	assert_int_equal(pread(log_fd, text, (size_t)len, 0), len);
	close(log_fd);
	return text;
}

static bool world_has_both(void)
{
	return heard(&world, "<message ", "to='b@far.example'") &&
	       heard(&world, "<message ", "to='b@else.example'");
}

static void send_to_two(void)
{
	users_send(1);
	say(users_talk(), "<message from='a@home.example' to='b@else.example' id='e1'>"
			  "<body>quiet</body></message>");
	AWAIT(world_has_both);
	AWAIT(nothing_is_open);
}

static void set_levels(enum log_level level)
{
	for (size_t i = 0; i < EVENT_MODULE_COUNT; i++)
		event_levels[i] = level;
}

static void what_is_watched_is_logged_and_nothing_else(void **state)
{
	char *text;

	set.uses_dns = true;
	resolver.srv_port = world.port;
	start();
	set_levels(LOG_LEVEL_ERROR);
	ask(&edge, "watch", "far.example", "60");
	assert_true(answered.done);
	ask(&core, "watch", "far.example", "60");
	keep_log();
	send_to_two();
	text = kept_log();
	IN_ORDER(text, "Level=\"INFO\" CodeLocation=\"Resolver\"", "dns.answer",
		 "name=_xmpp-server._tcp.far.example", "s2s.out.attempt", "onStreamOpen",
		 "stream.features", "s2s.out.ready", "stanza.written");
	IN_ORDER(text, "stanza.routed", "to=b@far.example port=edge-a");
	assert_null(strstr(text, "else.example"));
	free(text);

	gateway_forget_watches(edge.gateway);
	ask(&core, "watch", "far.example", "0");
	keep_log();
	users_send(2);
	wanted = 3; /* with those to two domains */
	AWAIT(world_has_all);
	text = kept_log();
	set_levels(LOG_LEVEL_INFO);
	assert_string_equal(text, "");
	free(text);
	ask(&edge, "watch", "far.example", "soon");
	assert_false(answered.done);
	ask(&edge, "watch", "far example", "60");
	assert_false(answered.done);
	ask(&edge, "watch", "0123456789", "60"); /* a domain of digits; no xcoder has ten */
	ask(&edge, "watch", "34A9B60C8", "60");
	assert_true(answered.done);
}

static void whole_stanzas_of_one_domain_are_logged_until_the_time(void **state)
{
	char *text;

	set.uses_dns = true;
	set.stanza_log_until = (int64_t)time(NULL) + 3600;
	resolver.srv_port = world.port;
	start();
	set_levels(LOG_LEVEL_ERROR);
	keep_log();
	send_to_two();
	text = kept_log();
	IN_ORDER(text, "stanza.logged", "to=b@far.example bytes=", "stanza=<message",
		 "<body>x</body>", "stanza.logged");
	assert_null(strstr(text, "quiet"));
	free(text);

	set.stanza_log_until = (int64_t)time(NULL);
	apply(&edge);
	apply(&core);
	keep_log();
	users_send(2);
	wanted = 3; /* with those to two domains */
	AWAIT(world_has_all);
	text = kept_log();
	set_levels(LOG_LEVEL_INFO);
	assert_null(strstr(text, "stanza.logged"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(why_tells_each_step_of_an_attempt),
		TEST(why_tells_the_other_direction_too),
		TEST(why_names_what_failed_and_what_waits),
		TEST(a_probe_goes_up_to_authentication_and_sends_nothing),
		TEST(a_probe_leaves_the_stream_that_is_there),
		TEST(a_probe_that_is_refused_says_why),
		TEST(there_are_four_probes_at_most),
		TEST(what_is_watched_is_logged_and_nothing_else),
		TEST(whole_stanzas_of_one_domain_are_logged_until_the_time),
	};

	return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
