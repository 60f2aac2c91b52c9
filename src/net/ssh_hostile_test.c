/* What a node that is pinned may try on who dials it: the far side is libssh, not ours. */
#include "net/ssh_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum trick {
	SPEAKS_EARLY,	 /* before it has answered about the subsystem */
	FLOODS_EARLY,	 /* and never answers */
	FLOODS_FOR_GOOD, /* once the subsystem is open, whatever we say */
	OPENS_CHANNELS,	 /* to us, without end */
};

static struct loop *loop;
static struct ssh_identity *host, *user;
static struct conn_address address;
static pid_t peer;

static struct {
	struct ssh_tunnel *tunnel;
	bool opened, ended, early; /* early: bytes before it was opened */
	enum ssh_end how;
	struct buffer got;
	size_t until;
} ours;

static void opened(void *owner)
{
	ours.opened = true;
}

static void received(void *owner, struct slice bytes)
{
	ours.early |= !ours.opened;
	buffer_append_slice(&ours.got, bytes);
	if (buffer_len(&ours.got) >= ours.until)
		loop_stop(loop);
}

static void ended(void *owner, enum ssh_end how, const char *why)
{
	ours.ended = true;
	ours.how = how;
	ssh_tunnel_destroy(&ours.tunnel);
	loop_stop(loop);
}

static const struct ssh_handler handler = { opened, received, ended };

static struct ssh_identity *make_identity(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	struct ssh_identity *identity;
	const char *why;
	char *pem;
	long len;

	assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	len = BIO_get_mem_data(bio, &pem);
	identity = ssh_identity_create((struct slice){ pem, (size_t)len }, &why);
	assert_non_null(identity);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return identity;
}

static void flood(ssh_channel channel)
{
	static const char bytes[32768];

	while (ssh_channel_write(channel, bytes, sizeof(bytes)) > 0)
		;
}

/* None is waited for. */
static void open_channels(ssh_session session)
{
	ssh_set_blocking(session, 0);
	for (int i = 0; i < 1000; i++) {
		ssh_channel channel = ssh_channel_new(session);

		if (!channel || ssh_channel_open_session(channel) == SSH_ERROR)
			return;
	}
	ssh_set_blocking(session, 1);
	ssh_blocking_flush(session, 3000);
}

static void play(ssh_session session, ssh_channel channel, ssh_message request, enum trick trick)
{
	if (trick == FLOODS_EARLY)
		flood(channel);
	if (trick == SPEAKS_EARLY) {
		ssh_channel_write(channel, "early ", 6);
		ssh_blocking_flush(session, 1000);
		usleep(300000);
	}
	ssh_message_channel_request_reply_success(request);
	if (trick == SPEAKS_EARLY)
		ssh_channel_write(channel, "late", 4);
	else if (trick == OPENS_CHANNELS)
		open_channels(session);
	else
		flood(channel);
	pause();
}

/* Lets everybody in, as blocking as can be. */
static void serve(int fd, enum trick trick)
{
	ssh_bind bind = ssh_bind_new();
	ssh_session session = ssh_new();
	ssh_channel channel = NULL;
	ssh_message message;
	bool no = false;

	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, ssh_identity_key(host));
	if (ssh_bind_accept_fd(bind, session, accept(fd, NULL, NULL)) != SSH_OK ||
	    ssh_handle_key_exchange(session) != SSH_OK)
		return;
	while ((message = ssh_message_get(session)) != NULL) {
		int type = ssh_message_type(message);

		if (type == SSH_REQUEST_AUTH)
			ssh_message_auth_reply_success(message, 0);
		else if (type == SSH_REQUEST_CHANNEL_OPEN)
			channel = ssh_message_channel_request_open_reply_accept(message);
		else if (type == SSH_REQUEST_CHANNEL)
			play(session, channel, message, trick);
		else
			ssh_message_reply_default(message);
		ssh_message_free(message);
	}
}

static void dial(enum trick trick)
{
	struct ssh_dial dial = { .host_pin = ssh_identity_pin(host),
				 .user = "core-a",
				 .password = "a-secret",
				 .subsystem = SSH_PROVISIONING,
				 .tcp_ms = 1000,
				 .login_ms = 8000,
				 .silence_ms = 8000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(conn_address_parse(&address, "127.0.0.1", 0));
	assert_int_equal(bind(fd, (struct sockaddr *)&address.storage, address.len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address.storage, &address.len), 0);
	peer = fork();
	if (peer == 0) {
		serve(fd, trick);
		_exit(0);
	}
	close(fd);
	dial.to = address;
	ours.tunnel = ssh_dial(loop, user, &dial, &handler, NULL);
}

static int set_up(void **state)
{
	loop = loop_create();
	memset(&ours, 0, sizeof(ours));
	return 0;
}

static int tear_down(void **state)
{
	ssh_tunnel_destroy(&ours.tunnel);
	buffer_finish(&ours.got);
	loop_destroy(&loop);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
	return 0;
}

static void what_comes_before_it_is_open_is_told_afterwards(void **state)
{
	dial(SPEAKS_EARLY);
	ours.until = strlen("early late");
	loop_run(loop);
	assert_true(ours.opened && !ours.early && !ours.ended);
	assert_int_equal(buffer_len(&ours.got), ours.until);
	assert_memory_equal(buffer_data(&ours.got), "early late", ours.until);
}

static void who_floods_before_it_is_open_is_cut_off(void **state)
{
	dial(FLOODS_EARLY);
	ours.until = SIZE_MAX;
	loop_run(loop);
	assert_true(ours.ended && !ours.opened);
	assert_int_equal(buffer_len(&ours.got), 0);
	assert_int_equal(ours.how, SSH_END_PROTOCOL);
}

static void on_moment(struct timer *timer)
{
	loop_stop(loop);
}

static void what_comes_after_a_good_bye_is_kept_nowhere(void **state)
{
	struct timer moment = { .fire = on_moment };
	struct ssh_tunnel *left;

	dial(FLOODS_FOR_GOOD);
	ours.until = 1;
	loop_run(loop);
	assert_true(ours.opened);
	left = ours.tunnel;
	ssh_tunnel_finish(&ours.tunnel);
	loop_arm(loop, &moment, 500);
	loop_run(loop);
	assert_int_equal(left->stage, SSH_STAGE_CLOSING);
	assert_int_equal(buffer_len(&left->in), 0);
	ssh_tunnel_destroy(&left);
}

static void who_asks_us_for_channels_is_cut_off(void **state)
{
	struct timer moment = { .fire = on_moment };

	dial(OPENS_CHANNELS);
	loop_arm(loop, &moment, 5000);
	loop_run(loop);
	loop_disarm(loop, &moment);
	assert_true(ours.ended); /* before it was told of its opening, or after */
	assert_int_equal(ours.how, SSH_END_PROTOCOL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_comes_before_it_is_open_is_told_afterwards),
		TEST(who_floods_before_it_is_open_is_cut_off),
		TEST(what_comes_after_a_good_bye_is_kept_nowhere),
		TEST(who_asks_us_for_channels_is_cut_off),
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
