#include "process/listeners.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sallyport-listeners-XXXXXX";
static char path[64];

/* A port of 127.0.0.1 that nobody has now: bound, read and let go. */
static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static struct bootstrap bootstrap_with(char *service, char *address, uint16_t port)
{
	return (struct bootstrap){ .role = &role_edge,
				   .control_socket = path,
				   .listens = { { service, PROCESS_TRAFFIC, address, port } },
				   .listens_count = 1 };
}

static char s2s[] = "s2s", loopback[] = "127.0.0.1", not_ours[] = "192.0.2.1",
	    everywhere[] = "0.0.0.0";

static bool can_connect(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM, 0);
	bool connected = connect(fd, address, len) == 0;

	close(fd);
	return connected;
}

static bool can_connect_local(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return can_connect((struct sockaddr *)&address, sizeof(address));
}

static void what_the_file_names_is_listened_on(void **state)
{
	uint16_t port = free_port();
	struct bootstrap bootstrap = bootstrap_with(s2s, loopback, port);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct listeners listeners;
	char *why = NULL, *expected = xasprintf("127.0.0.1:%u", port);
	struct stat st;

	assert_true(listeners_open(&listeners, &bootstrap, &why));
	assert_int_equal(listeners.count, 2);
	assert_string_equal(listeners.list[0].service, "s2s");
	assert_string_equal(listeners.list[0].address, expected);
	assert_int_equal(listeners.list[0].process, PROCESS_TRAFFIC);
	assert_true(can_connect((struct sockaddr *)&address, sizeof(address)));
	assert_string_equal(listeners.list[1].service, "control");
	assert_int_equal(listeners.list[1].process, PROCESS_MANAGE);
	assert_true(can_connect_local());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	listeners_finish(&listeners);
	free(expected);
}

static void the_socket_of_a_dead_one_is_replaced(void **state)
{
	struct bootstrap bootstrap = { .role = &role_core, .control_socket = path };
	struct listeners listeners;
	char *why = NULL;

	for (int i = 0; i < 2; i++) {
		assert_true(listeners_open(&listeners, &bootstrap, &why));
		assert_true(can_connect_local());
		listeners_finish(&listeners);
		assert_false(can_connect_local());
	}
}

static void an_address_that_is_not_ours_is_told(void **state)
{
	struct bootstrap bootstrap = bootstrap_with(s2s, not_ours, 5269);
	struct listeners listeners;
	char *why = NULL;

	assert_false(listeners_open(&listeners, &bootstrap, &why));
	assert_string_equal(why, "listen s2s: 192.0.2.1 port 5269: Cannot assign requested "
				 "address");
	free(why);
}

/* In a process of its own, as if systemd had started it with `count` sockets. */
static int in_inheriting_process(const char *names, in_addr_t at, struct bootstrap *bootstrap)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(at) } };
		struct listeners listeners;
		char *why = NULL, number[16];
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		listen(fd, 1);
		log_to(fcntl(3, F_DUPFD, 10)); /* /dev/null, from main */
		if (fd != 3)
			dup2(fd, 3);
		snprintf(number, sizeof(number), "%d", (int)getpid());
		setenv("LISTEN_PID", number, 1);
		setenv("LISTEN_FDS", "1", 1);
		setenv("LISTEN_FDNAMES", names, 1);
		if (!listeners_open(&listeners, bootstrap, &why)) {
			bool told = strcmp(why, "socket 'imap' was passed to us, which is no "
						"service of role edge") == 0;

			_exit(told ? 10 : strstr(why, "where the world reaches s2s") ? 11 : 12);
		}
		_exit(listeners.count == 2 && listeners.list[0].fd == 3 &&
				      strcmp(listeners.list[0].service, names) == 0 &&
				      !getenv("LISTEN_FDS")
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void an_inherited_socket_replaces_that_of_the_file(void **state)
{
	/* Binding this address would fail. */
	struct bootstrap bootstrap = bootstrap_with(s2s, not_ours, 5269);

	assert_int_equal(in_inheriting_process("s2s", INADDR_LOOPBACK, &bootstrap), 0);
}

static void an_inherited_socket_of_another_name_is_refused(void **state)
{
	struct bootstrap bootstrap = { .role = &role_edge, .control_socket = path };

	assert_int_equal(in_inheriting_process("imap", INADDR_LOOPBACK, &bootstrap), 10);
}

static void an_inherited_web_page_is_not_where_the_world_comes(void **state)
{
	struct bootstrap bootstrap = bootstrap_with(s2s, everywhere, free_port());

	assert_int_equal(in_inheriting_process("admin", INADDR_ANY, &bootstrap), 11);
	bootstrap.listens_count = 0;
	assert_int_equal(in_inheriting_process("admin", INADDR_ANY, &bootstrap), 0);
}

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/run/control.sock", folder);
	return 0;
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int remove_folder(void **state)
{
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_file_names_is_listened_on),
		cmocka_unit_test(the_socket_of_a_dead_one_is_replaced),
		cmocka_unit_test(an_address_that_is_not_ours_is_told),
		cmocka_unit_test(an_inherited_socket_replaces_that_of_the_file),
		cmocka_unit_test(an_inherited_socket_of_another_name_is_refused),
		cmocka_unit_test(an_inherited_web_page_is_not_where_the_world_comes),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
