#include "net/ssh.h"

#include "base/alloc.h"
#include "ipc/sandbox.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BIG ((size_t)8 << 20)
#define SECRET "a-pairing-secret"

static struct loop *loop;
static struct ssh_identity *host, *user;
static struct ssh_server *server;
static struct conn_address address;

/* The far side: echoes, or does what a test says. */
static struct side {
	struct ssh_tunnel *tunnel;
	bool opened, ended, echoes, destroys;
	enum ssh_end how;
	char why[256];
	struct buffer got;
	size_t until; /* stop the loop when so many bytes are here */
	char subsystem[32], user[32], pin[SSH_PIN_LEN + 1];
} ours, theirs;

static bool takes_passwords = true;
static unsigned wrong_passwords;

static void opened(void *owner)
{
	struct side *s = owner;

	s->opened = true;
	if (s->destroys)
		ssh_tunnel_destroy(&s->tunnel);
	if (!s->until)
		loop_stop(loop);
}

static void received(void *owner, struct slice bytes)
{
	struct side *s = owner;

	if (s->destroys) {
		ssh_tunnel_destroy(&s->tunnel);
		loop_stop(loop);
		return;
	}
	if (s->echoes)
		ssh_tunnel_send(s->tunnel, bytes);
	else
		buffer_append_slice(&s->got, bytes);
	if (s->until && buffer_len(&s->got) >= s->until)
		loop_stop(loop);
}

static void ended(void *owner, enum ssh_end how, const char *why)
{
	struct side *s = owner;

	s->ended = true;
	s->how = how;
	snprintf(s->why, sizeof(s->why), "%s", why);
	ssh_tunnel_destroy(&s->tunnel);
	loop_stop(loop);
}

static const struct ssh_handler handler = { opened, received, ended };

static bool knows_key(void *arg, const char *name, const char *pin)
{
	return strcmp(name, "core-a") == 0 && strcmp(pin, ssh_identity_pin(user)) == 0;
}

static bool takes(void *arg)
{
	return takes_passwords;
}

static bool knows_password(void *arg, const char *name, const char *password)
{
	bool right = strcmp(password, SECRET) == 0;

	wrong_passwords += !right;
	return right;
}

static void accepted(void *arg, struct ssh_tunnel *tunnel, const char *subsystem, const char *name,
		     const char *pin, const char *from)
{
	if (theirs.tunnel || (theirs.destroys && !theirs.echoes)) {
		ssh_tunnel_destroy(&tunnel);
		return;
	}
	theirs.tunnel = tunnel;
	snprintf(theirs.subsystem, sizeof(theirs.subsystem), "%s", subsystem);
	snprintf(theirs.user, sizeof(theirs.user), "%s", name);
	snprintf(theirs.pin, sizeof(theirs.pin), "%s", pin ? pin : "");
	assert_int_equal(strncmp(from, "127.0.0.1:", 10), 0);
	ssh_tunnel_hand_over(tunnel, &handler, &theirs);
}

static struct ssh_identity *make_identity(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	struct ssh_identity *identity;
	const char *why = "";
	char *pem;
	long len;

	assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	len = BIO_get_mem_data(bio, &pem);
	identity = ssh_identity_create((struct slice){ pem, (size_t)len }, &why);
	if (!identity)
		fail_msg("%s", why);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return identity;
}

static int listen_somewhere(struct conn_address *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(conn_address_parse(at, "127.0.0.1", 0));
	assert_int_equal(bind(fd, (struct sockaddr *)&at->storage, at->len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at->storage, &at->len), 0);
	return fd;
}

static void start_server(unsigned login_ms, unsigned silence_ms, unsigned per_address)
{
	const struct ssh_server_config config = {
		.loop = loop,
		.identity = host,
		.login_ms = login_ms,
		.silence_ms = silence_ms,
		.connections_max = 8,
		.connections_per_address_max = per_address,
		.knows_key = knows_key,
		.takes_passwords = takes,
		.knows_password = knows_password,
		.accepted = accepted,
	};

	server = ssh_server_create(&config);
	ssh_server_listen(server, listen_somewhere(&address));
}

static int set_up(void **state)
{
	loop = loop_create();
	takes_passwords = true;
	wrong_passwords = 0;
	ours = theirs = (struct side){ 0 };
	theirs.echoes = true;
	return 0;
}

static int tear_down(void **state)
{
	ssh_tunnel_destroy(&ours.tunnel);
	ssh_tunnel_destroy(&theirs.tunnel);
	ssh_server_destroy(&server);
	buffer_finish(&ours.got);
	buffer_finish(&theirs.got);
	loop_destroy(&loop);
	return 0;
}

static struct ssh_dial by_key(void)
{
	return (struct ssh_dial){ .to = address,
				  .host_pin = ssh_identity_pin(host),
				  .user = "core-a",
				  .subsystem = SSH_PROVISIONING,
				  .tcp_ms = 1000,
				  .login_ms = 5000,
				  .silence_ms = 5000 };
}

static struct ssh_dial by_password(const char *password)
{
	struct ssh_dial dial = by_key();

	dial.user = "pairing";
	dial.password = password;
	dial.subsystem = SSH_PAIRING;
	return dial;
}

static void on_moment(struct timer *timer)
{
	loop_stop(loop);
}

static void turn_for(unsigned ms)
{
	struct timer moment = { .fire = on_moment };

	loop_arm(loop, &moment, ms);
	loop_run(loop);
	loop_disarm(loop, &moment);
}

static void dial_as(const struct ssh_identity *identity, struct ssh_dial dial)
{
	ours.tunnel = ssh_dial(loop, identity, &dial, &handler, &ours);
	loop_run(loop);
}

static void assert_ended(enum ssh_end how)
{
	if (!ours.ended || ours.how != how)
		fail_msg("%s %s: %s", ours.ended ? "ended" : "not ended", ssh_end_name(ours.how),
			 ours.why);
	assert_true(strlen(ours.why) > 0);
}

static char *big_text(void)
{
	char *big = xmalloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 2654435761u >> 13);
	return big;
}

static void bytes_come_back_as_they_went(void **state)
{
	char *big = big_text();

	start_server(5000, 5000, 8);
	dial_as(user, by_key());
	assert_true(ours.opened);
	ours.until = BIG / 2;
	ssh_tunnel_send(ours.tunnel, (struct slice){ big, BIG / 2 });
	loop_run(loop);
	assert_int_equal(buffer_len(&ours.got), BIG / 2);
	ours.until = BIG;
	ssh_tunnel_send(ours.tunnel, (struct slice){ big + BIG / 2, BIG / 2 });
	loop_run(loop);
	assert_int_equal(buffer_len(&ours.got), BIG);
	assert_memory_equal(buffer_data(&ours.got), big, BIG);
	assert_string_equal(theirs.subsystem, SSH_PROVISIONING);
	assert_string_equal(theirs.user, "core-a");
	assert_string_equal(theirs.pin, ssh_identity_pin(user));
	free(big);
}

static void a_pairing_logs_in_by_password(void **state)
{
	start_server(5000, 5000, 8);
	dial_as(user, by_password(SECRET));
	assert_true(ours.opened);
	assert_string_equal(theirs.subsystem, SSH_PAIRING);
	assert_string_equal(theirs.pin, "");
}

static void what_may_not_in_is_told_why(void **state)
{
	static const char other_pin[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct ssh_identity *stranger = make_identity();
	struct ssh_dial dial;

	start_server(5000, 5000, 8);
	dial = by_key();
	dial.host_pin = other_pin;
	dial_as(user, dial);
	assert_ended(SSH_END_HOST_KEY);

	ours = (struct side){ 0 };
	dial_as(stranger, by_key());
	assert_ended(SSH_END_LOGIN);

	ours = (struct side){ 0 };
	dial = by_key();
	dial.user = "core-b";
	dial_as(user, dial);
	assert_ended(SSH_END_LOGIN);

	ours = (struct side){ 0 };
	dial_as(user, by_password("another"));
	assert_ended(SSH_END_LOGIN);
	assert_int_equal(wrong_passwords, 1);

	ours = (struct side){ 0 };
	takes_passwords = false;
	dial_as(user, by_password(SECRET));
	assert_ended(SSH_END_LOGIN);
	takes_passwords = true;

	ours = (struct side){ 0 };
	dial = by_key();
	dial.subsystem = SSH_PAIRING;
	dial_as(user, dial);
	assert_ended(SSH_END_SUBSYSTEM);

	ours = (struct side){ 0 };
	dial = by_password(SECRET);
	dial.subsystem = SSH_PROVISIONING;
	dial_as(user, dial);
	assert_ended(SSH_END_SUBSYSTEM);
	assert_null(theirs.tunnel);
	ssh_identity_destroy(&stranger);
}

static void who_is_not_there_is_told_apart(void **state)
{
	struct conn_address silent;
	int fd = listen_somewhere(&silent);
	struct ssh_dial dial;

	start_server(5000, 5000, 8);
	dial = by_key();
	dial.to = silent;
	dial.login_ms = 200;
	dial_as(user, dial);
	assert_ended(SSH_END_TIMEOUT); /* it accepts and says nothing */
	close(fd);
	ours = (struct side){ 0 };
	dial_as(user, dial);
	assert_ended(SSH_END_REFUSED);
}

static void what_is_no_ssh_is_refused(void **state)
{
	struct conn_address at;
	int fd = listen_somewhere(&at), guest;
	struct ssh_dial dial = by_key();

	dial.to = at;
	dial.host_pin = ssh_identity_pin(host);
	ours.tunnel = ssh_dial(loop, user, &dial, &handler, &ours);
	turn_for(50);
	fcntl(fd, F_SETFL, 0);
	guest = accept(fd, NULL, NULL);
	assert_int_equal(write(guest, "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 28);
	shutdown(guest, SHUT_WR);
	loop_run(loop);
	assert_ended(SSH_END_PROTOCOL);
	close(guest);
	close(fd);
}

static void who_hangs_up_before_keys_is_told_as_that(void **state)
{
	struct conn_address at;
	int fd = listen_somewhere(&at), guest;
	struct ssh_dial dial = by_key();

	dial.to = at;
	ours.tunnel = ssh_dial(loop, user, &dial, &handler, &ours);
	turn_for(50);
	fcntl(fd, F_SETFL, 0);
	guest = accept(fd, NULL, NULL);
	close(guest); /* with what we sent unread: a reset */
	loop_run(loop);
	assert_ended(SSH_END_PROTOCOL);
	assert_string_equal(ours.why, "the connection broke before keys were agreed on");
	close(fd);
}

static void a_server_that_stops_ends_nobody_who_is_in(void **state)
{
	start_server(5000, 5000, 8);
	dial_as(user, by_key());
	ssh_server_destroy(&server);
	ours.until = 5;
	ssh_tunnel_send(ours.tunnel, slice_of("hello"));
	loop_run(loop);
	assert_int_equal(buffer_len(&ours.got), 5);
}

static void a_good_bye_comes_after_what_was_sent(void **state)
{
	char *big = big_text();

	start_server(5000, 5000, 8);
	dial_as(user, by_key());
	theirs.echoes = false;
	theirs.until = BIG;
	ssh_tunnel_send(ours.tunnel, (struct slice){ big, BIG });
	ssh_tunnel_finish(&ours.tunnel);
	assert_null(ours.tunnel);
	loop_run(loop);
	assert_int_equal(buffer_len(&theirs.got), BIG);
	if (!theirs.ended)
		loop_run(loop);
	assert_int_equal(theirs.how, SSH_END_CLOSED);
	turn_for(50); /* it goes when it has seen that we went */
	free(big);
}

static void a_peer_that_vanishes_is_noticed(void **state)
{
	int status;
	pid_t child;

	start_server(5000, 400, 8);
	child = fork();
	if (child == 0) { /* it logs in, and then neither reads nor answers */
		struct ssh_dial dial = by_key();

		loop = loop_create();
		server = NULL;
		dial_as(user, dial);
		pause();
		_exit(0);
	}
	loop_run(loop);
	assert_true(theirs.ended);
	assert_int_equal(theirs.how, SSH_END_LOST);
	assert_string_equal(theirs.why, "the other side is silent");
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
}

static void who_answers_keepalives_may_be_silent(void **state)
{
	struct ssh_dial dial;

	start_server(5000, 900, 8);
	dial = by_key();
	dial.silence_ms = 900;
	dial_as(user, dial);
	ours.until = theirs.until = 1;
	turn_for(2000);
	if (ours.ended || theirs.ended)
		fail_msg("%s / %s", ours.why, theirs.why);
}

/* Asked at 120 ms and heard just after; then every third of the silence counts. */
static void each_third_of_the_silence_has_its_keepalive(void **state)
{
	struct ssh_dial dial;

	start_server(5000, 60000, 8);
	dial = by_key();
	dial.silence_ms = 360;
	dial_as(user, dial);
	ours.until = theirs.until = 100;
	turn_for(140);
	ssh_tunnel_send(theirs.tunnel, slice_of("x"));
	turn_for(300);
	assert_int_equal(buffer_len(&ours.got), 1);
	usleep(130 * 1000); /* a busy machine */
	turn_for(100);
	if (ours.ended)
		fail_msg("%s", ours.why);
}

static void who_does_not_read_is_cut_off(void **state)
{
	int status, ends[2];
	char *big = big_text();
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	start_server(5000, 60000, 8);
	child = fork();
	if (child == 0) {
		struct ssh_dial dial = by_key();

		loop = loop_create();
		server = NULL;
		dial_as(user, dial);
		pause();
		_exit(0);
	}
	while (!theirs.tunnel)
		turn_for(20);
	for (int i = 0; i < 3; i++)
		ssh_tunnel_send(theirs.tunnel, (struct slice){ big, BIG });
	loop_run(loop);
	assert_true(theirs.ended);
	assert_int_equal(theirs.how, SSH_END_LOST);
	assert_string_equal(theirs.why, "the other side does not read");
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	free(big);
}

static int connect_raw(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address.storage, address.len), 0);
	return fd;
}

static bool is_closed_by_peer(int fd)
{
	char bytes[512];
	ssize_t got;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		;
	return got == 0 || errno != EAGAIN;
}

static void who_does_not_log_in_is_closed(void **state)
{
	int fd;

	start_server(150, 5000, 8);
	fd = connect_raw();
	turn_for(60);
	assert_false(is_closed_by_peer(fd));
	for (int i = 0; i < 100 && !is_closed_by_peer(fd); i++)
		turn_for(20);
	assert_true(is_closed_by_peer(fd));
	close(fd);
}

static void one_address_does_not_take_all(void **state)
{
	int fds[3];

	start_server(5000, 5000, 2);
	for (int i = 0; i < 3; i++)
		fds[i] = connect_raw();
	for (int i = 0; i < 100 && !is_closed_by_peer(fds[2]); i++)
		turn_for(10);
	assert_false(is_closed_by_peer(fds[0]));
	assert_false(is_closed_by_peer(fds[1]));
	assert_true(is_closed_by_peer(fds[2]));
	close(fds[0]);
	turn_for(50);
	dial_as(user, by_key()); /* there is room again */
	assert_true(ours.opened);
	close(fds[1]);
	close(fds[2]);
}

static void a_tunnel_may_go_in_any_call(void **state)
{
	start_server(5000, 5000, 8);
	ours.destroys = true;
	dial_as(user, by_key()); /* as it opens */
	assert_null(ours.tunnel);
	if (!theirs.ended)
		loop_run(loop);
	ours = theirs = (struct side){ 0 };

	theirs.destroys = true; /* as it is accepted */
	dial_as(user, by_key());
	if (!ours.ended)
		loop_run(loop);
	assert_true(ours.ended);
	ours = theirs = (struct side){ 0 };

	theirs.echoes = true;
	dial_as(user, by_key());
	ours.destroys = true; /* as something comes */
	ssh_tunnel_send(ours.tunnel, slice_of("hello"));
	loop_run(loop);
	assert_null(ours.tunnel);
}

static void connections_leave_nothing_behind(void **state)
{
	int before, after;

	start_server(5000, 5000, 8);
	before = open("/dev/null", O_RDONLY);
	close(before);
	for (int i = 0; i < 100; i++) {
		dial_as(user, by_key());
		assert_true(ours.opened);
		ssh_tunnel_destroy(&ours.tunnel);
		while (!theirs.ended)
			loop_run(loop);
		ours = theirs = (struct side){ 0 };
	}
	after = open("/dev/null", O_RDONLY);
	close(after);
	assert_int_equal(after, before);
}

static void a_broken_key_is_refused(void **state)
{
	static const char *const keys[] = {
		"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "letter"
	};

	for (size_t i = 0; i < nitems(keys); i++) {
		const char *why = NULL;

		assert_null(ssh_identity_create(slice_of(keys[i]), &why));
		assert_string_equal(why, "not an Ed25519 key in PEM");
	}
}

static void it_works_inside_of_the_sandbox(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		const char *why;

		start_server(5000, 5000, 8);
		if (!sandbox_enter(PROCESS_MANAGE, NULL, &why))
			_exit(2);
		dial_as(user, by_key());
		ours.until = 5;
		ssh_tunnel_send(ours.tunnel, slice_of("hello"));
		loop_run(loop);
		if (buffer_len(&ours.got) != 5)
			_exit(3);
		ours.ended = false;
		ssh_tunnel_destroy(&ours.tunnel);
		ours = (struct side){ 0 };
		ssh_tunnel_destroy(&theirs.tunnel);
		theirs = (struct side){ .echoes = true };
		dial_as(user, by_password(SECRET));
		_exit(ours.opened ? 0 : 4);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_come_back_as_they_went),
		TEST(a_pairing_logs_in_by_password),
		TEST(what_may_not_in_is_told_why),
		TEST(who_is_not_there_is_told_apart),
		TEST(what_is_no_ssh_is_refused),
		TEST(who_hangs_up_before_keys_is_told_as_that),
		TEST(a_server_that_stops_ends_nobody_who_is_in),
		TEST(a_good_bye_comes_after_what_was_sent),
		TEST(a_peer_that_vanishes_is_noticed),
		TEST(who_answers_keepalives_may_be_silent),
		TEST(each_third_of_the_silence_has_its_keepalive),
		TEST(who_does_not_read_is_cut_off),
		TEST(who_does_not_log_in_is_closed),
		TEST(one_address_does_not_take_all),
		TEST(a_tunnel_may_go_in_any_call),
		TEST(connections_leave_nothing_behind),
		TEST(a_broken_key_is_refused),
		TEST(it_works_inside_of_the_sandbox),
	};
	int failed;

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	assert_true(ssh_prepare());
	host = make_identity();
	user = make_identity();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	ssh_identity_destroy(&host);
	ssh_identity_destroy(&user);
	return failed;
}
