#include "admin/control_socket.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534
#define CLIENTS_MAX 40
#define LONG_MS 60000 /* never, in a test */

/* The server with a fake desk, and people's ends of connections, on one loop. */
struct stage {
	uint64_t gone; /* the session that went before its answer */
	struct loop *loop;
	struct control_socket *socket;
	struct sockaddr_un address;
	socklen_t address_len;
	struct client {
		struct stage *stage;
		struct loop_io io;
		struct buffer heard;
		bool closed;
	} clients[CLIENTS_MAX];
	size_t count;
	const struct client *awaited;
	size_t lines;	   /* that it must have heard; SIZE_MAX: its end */
	uint64_t asked[8]; /* sessions that wait for an answer */
	size_t asked_count, asked_awaited;
	char words[256]; /* of the last request */
	bool answers_later, finished;
};

static size_t lines_of(const struct client *client)
{
	size_t count = 0;

	for (size_t i = 0; i < buffer_len(&client->heard); i++)
		count += buffer_data(&client->heard)[i] == '\n';
	return count;
}

static void stop_if_heard(struct stage *stage)
{
	const struct client *client = stage->awaited;

	if (client &&
	    (stage->lines == SIZE_MAX ? client->closed : lines_of(client) >= stage->lines))
		loop_stop(stage->loop);
}

static void on_client(struct loop_io *io, bool readable, bool writable)
{
	struct client *client = (void *)((char *)io - offsetof(struct client, io));
	ssize_t got = recv(io->fd, buffer_reserve(&client->heard, 65536), 65536, MSG_DONTWAIT);

	if (got > 0) {
		buffer_filled(&client->heard, (size_t)got);
	} else {
		client->closed = true;
		loop_unwatch(io);
	}
	stop_if_heard(client->stage);
}

static void on_request(void *arg, uint64_t session, const struct visitor *visitor,
		       const struct request *request)
{
	struct stage *stage = arg;

	snprintf(stage->words, sizeof(stage->words), "%s %s", request->words[0],
		 visitor->access == ACCESS_ADMIN ? "changes" : "looks");
	if (!stage->answers_later) {
		control_socket_reply(stage->socket, session, REPLY_DONE,
				     slice_of(request->words[0]), NULL);
		return;
	}
	stage->asked[stage->asked_count++] = session;
	if (stage->asked_count == stage->asked_awaited)
		loop_stop(stage->loop);
}

static void on_gone(void *arg, uint64_t session)
{
	struct stage *stage = arg;

	stage->gone = session;
}

/* An address without a file, in the abstract namespace. */
static void set_up_with(struct stage *stage, uid_t owner, unsigned request_ms, unsigned reply_ms)
{
	struct control_socket_config config = {
		.owner = owner,
		.request_ms = request_ms,
		.reply_ms = reply_ms,
		.request = on_request,
		.gone = on_gone,
		.arg = stage,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*stage = (struct stage){ .loop = loop_create(), .address.sun_family = AF_UNIX };
	config.loop = stage->loop;
	stage->socket = control_socket_create(&config);
	assert_int_equal(bind(fd, (struct sockaddr *)&stage->address, sizeof(sa_family_t)), 0);
	stage->address_len = sizeof(stage->address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&stage->address, &stage->address_len),
			 0);
	assert_int_equal(listen(fd, 64), 0);
	control_socket_listen(stage->socket, fd);
}

static void set_up(struct stage *stage)
{
	set_up_with(stage, getuid(), LONG_MS, LONG_MS);
}

static void tear_down(struct stage *stage)
{
	control_socket_destroy(&stage->socket);
	for (size_t i = 0; i < stage->count; i++) {
		loop_unwatch(&stage->clients[i].io);
		close(stage->clients[i].io.fd);
		buffer_finish(&stage->clients[i].heard);
	}
	loop_destroy(&stage->loop);
}

static struct client *connects(struct stage *stage)
{
	struct client *client = &stage->clients[stage->count++];

	client->stage = stage;
	client->io.ready = on_client;
	client->io.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		connect(client->io.fd, (struct sockaddr *)&stage->address, stage->address_len), 0);
	loop_watch(stage->loop, &client->io, true, false);
	return client;
}

static void sends(struct client *client, const char *bytes)
{
	assert_int_equal(send(client->io.fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

static void await(struct stage *stage, const struct client *client, size_t lines)
{
	stage->awaited = client;
	stage->lines = lines;
	loop_run(stage->loop);
}

static void hears_lines(struct stage *stage, const struct client *client, size_t lines)
{
	if (lines_of(client) < lines)
		await(stage, client, lines);
	assert_int_equal(lines_of(client), lines);
}

static void hears_end(struct stage *stage, const struct client *client)
{
	if (!client->closed)
		await(stage, client, SIZE_MAX);
}

static bool heard(struct client *client, const char *text)
{
	buffer_append(&client->heard, "", 1);
	client->heard.end--;
	return strstr(buffer_data(&client->heard), text) != NULL;
}

static void until_asked(struct stage *stage, size_t count)
{
	stage->asked_awaited = count;
	stage->awaited = NULL;
	loop_run(stage->loop);
}

static void requests_of_one_connection_are_answered_in_order(void **state)
{
	struct stage stage;
	struct client *client;

	set_up(&stage);
	client = connects(&stage);
	sends(client, "{\"command\":[\"one\"]}\n{\"command\":[\"two\"]}\n{\"command\":[\"th");
	hears_lines(&stage, client, 2);
	sends(client, "ree\"]}\n");
	hears_lines(&stage, client, 3);
	assert_true(heard(client,
			  "{\"status\":0,\"text\":\"one\"}\n{\"status\":0,\"text\":\"two\"}\n"
			  "{\"status\":0,\"text\":\"three\"}\n"));
	tear_down(&stage);
}

static void answers_find_their_session_whatever_their_order(void **state)
{
	struct stage stage;
	struct client *one, *two;

	set_up(&stage);
	stage.answers_later = true;
	one = connects(&stage);
	sends(one, "{\"command\":[\"one\"]}\n{\"command\":[\"not yet\"]}\n");
	until_asked(&stage, 1);
	two = connects(&stage);
	sends(two, "{\"command\":[\"two\"]}\n");
	until_asked(&stage, 2);
	assert_string_equal(stage.words, "two changes");
	control_socket_reply(stage.socket, stage.asked[1], REPLY_DONE, slice_of("2"), NULL);
	hears_lines(&stage, two, 1);
	assert_int_equal(lines_of(one), 0);
	control_socket_reply(stage.socket, stage.asked[0], REPLY_DONE, slice_of("1"), NULL);
	hears_lines(&stage, one, 1);
	assert_true(heard(one, "\"1\""));
	assert_true(heard(two, "\"2\""));
	/* one that nobody waits for, and one twice */
	control_socket_reply(stage.socket, 4711, REPLY_DONE, slice_of("x"), NULL);
	control_socket_reply(stage.socket, stage.asked[1], REPLY_DONE, slice_of("x"), NULL);
	tear_down(&stage);
}

static void garbage_is_answered_and_ends_the_connection(void **state)
{
	struct stage stage;
	struct client *client;

	set_up(&stage);
	client = connects(&stage);
	sends(client, "GET / HTTP/1.1\n{\"command\":[\"one\"]}\n");
	hears_end(&stage, client);
	assert_int_equal(lines_of(client), 1);
	assert_true(heard(client, "that request cannot be read: not JSON"));
	tear_down(&stage);
}

static void a_request_that_does_not_end_is_given_up(void **state)
{
	struct stage stage;
	struct client *half, *silent;

	set_up_with(&stage, getuid(), 50, LONG_MS);
	half = connects(&stage);
	silent = connects(&stage);
	sends(half, "{\"command\":");
	hears_end(&stage, half);
	hears_end(&stage, silent);
	assert_int_equal(lines_of(half) + lines_of(silent), 0);
	tear_down(&stage);
}

static void whoever_does_not_take_the_reply_is_dropped(void **state)
{
	static char text[4 * 1024 * 1024];
	struct stage stage;
	struct client *client;

	set_up_with(&stage, getuid(), LONG_MS, 50);
	stage.answers_later = true;
	client = connects(&stage);
	sends(client, "{\"command\":[\"status\"]}\n");
	until_asked(&stage, 1);
	loop_unwatch(&client->io); /* it does not read */
	memset(text, 'x', sizeof(text));
	control_socket_reply(stage.socket, stage.asked[0], REPLY_DONE,
			     (struct slice){ text, sizeof(text) }, NULL);
	/* Another's requests go on until its socket is closed: what it could not send is an error.
	 */
	while (send(client->io.fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {
		struct client *other = connects(&stage);

		stage.answers_later = false;
		sends(other, "{\"command\":[\"one\"]}\n");
		hears_lines(&stage, other, 1);
		loop_unwatch(&other->io);
		close(other->io.fd);
		buffer_finish(&other->heard);
		stage.count--;
		*other = (struct client){ 0 };
	}
	tear_down(&stage);
}

static void the_33rd_connection_is_told_so(void **state)
{
	struct stage stage;
	struct client *last = NULL;

	set_up(&stage);
	for (int i = 0; i < CONTROL_SOCKET_SESSIONS; i++)
		last = connects(&stage);
	sends(last, "{\"command\":[\"one\"]}\n");
	hears_lines(&stage, last, 1);
	last = connects(&stage);
	hears_end(&stage, last);
	assert_true(heard(last, "too many others are connected"));
	tear_down(&stage);
}

/* As somebody who is neither root nor the owner. */
static struct client *stranger_connects(struct stage *stage)
{
	struct client *client;

	assert_int_equal(seteuid(getuid() == 0 ? NOBODY : getuid()), 0);
	client = connects(stage);
	assert_int_equal(seteuid(getuid()), 0);
	return client;
}

static void set_up_for_strangers(struct stage *stage)
{
	set_up_with(stage, getuid() == 0 ? 0 : getuid() + 1, LONG_MS, LONG_MS);
}

static void strangers_may_look_in_short_lines(void **state)
{
	char line[CONTROL_SOCKET_LOOK_BYTES + 100];
	struct stage stage;
	struct client *client;

	set_up_for_strangers(&stage);
	client = stranger_connects(&stage);
	sends(client, "{\"command\":[\"status\"]}\n");
	hears_lines(&stage, client, 1);
	assert_string_equal(stage.words, "status looks");
	memset(line, ' ', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	sends(client, line);
	hears_end(&stage, client);
	assert_true(heard(client, "that request cannot be read: it is too long"));
	tear_down(&stage);
}

static void strangers_do_not_keep_root_out(void **state)
{
	struct stage stage;
	struct client *client;

	set_up_for_strangers(&stage);
	for (int i = 0; i < CONTROL_SOCKET_LOOKERS; i++)
		stranger_connects(&stage);
	client = stranger_connects(&stage);
	hears_end(&stage, client);
	assert_true(heard(client, "too many others are connected"));
	if (getuid() == 0) { /* else there is nobody to be but a stranger */
		client = connects(&stage);
		sends(client, "{\"command\":[\"status\"]}\n");
		hears_lines(&stage, client, 1);
	}
	tear_down(&stage);
}

static void on_done(void *arg)
{
	struct stage *stage = arg;

	stage->finished = true;
}

static void the_end_waits_for_the_last_reply(void **state)
{
	struct stage stage;
	struct client *idle, *busy;

	set_up(&stage);
	stage.answers_later = true;
	idle = connects(&stage);
	busy = connects(&stage);
	sends(busy, "{\"command\":[\"one\"]}\n{\"command\":[\"never\"]}\n");
	until_asked(&stage, 1);
	control_socket_finish(stage.socket, on_done);
	hears_end(&stage, idle);
	assert_false(stage.finished);
	control_socket_reply(stage.socket, stage.asked[0], REPLY_DONE, slice_of("1"), NULL);
	hears_end(&stage, busy);
	assert_int_equal(lines_of(busy), 1);
	assert_true(stage.finished);
	assert_int_equal(stage.asked_count, 1);
	tear_down(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_one_connection_are_answered_in_order),
		cmocka_unit_test(answers_find_their_session_whatever_their_order),
		cmocka_unit_test(garbage_is_answered_and_ends_the_connection),
		cmocka_unit_test(a_request_that_does_not_end_is_given_up),
		cmocka_unit_test(whoever_does_not_take_the_reply_is_dropped),
		cmocka_unit_test(the_33rd_connection_is_told_so),
		cmocka_unit_test(strangers_may_look_in_short_lines),
		cmocka_unit_test(strangers_do_not_keep_root_out),
		cmocka_unit_test(the_end_waits_for_the_last_reply),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
