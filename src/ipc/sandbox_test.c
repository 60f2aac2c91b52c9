#include "ipc/sandbox.h"

#include "base/alloc.h"
#include "ipc/channel.h"
#include "ipc/memfd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Each returns true when it got through. `victim` is a sibling that sleeps. */
static pid_t victim;
static int listener; /* made before the sandbox, as control would */

static bool got_fd(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool opens_a_file(void)
{
	return got_fd(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static bool opens_its_own_memory(void)
{
	return got_fd(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
}

static bool makes_a_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	return got_fd(fd);
}

static bool lists_a_folder(void)
{
	return got_fd(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool stats_a_file(void)
{
	struct stat st;

	return stat("/etc/passwd", &st) == 0;
}

static bool runs_a_program(void)
{
	char *const args[] = { NULL };

	execve("/bin/true", args, args); /* getting through ends the process with 0 */
	return false;
}

static bool forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool traces_another(void)
{
	return ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0;
}

static bool reads_anothers_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &victim, 1 };

	return process_vm_readv(victim, &here, 1, &there, 1, 0) == 1;
}

static bool signals_another(void)
{
	return kill(victim, 0) == 0;
}

static bool makes_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED;
}

static bool opens_a_raw_socket(void)
{
	return got_fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) ||
	       got_fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)) ||
	       got_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool becomes_root(void)
{
	return setuid(0) == 0;
}

static const struct {
	const char *name;
	bool (*get_through)(void);
	bool open_to_all; /* gets through when there is no sandbox, whoever we are */
} attempts[] = {
	{ "opens a file", opens_a_file, true },
	{ "opens its own memory", opens_its_own_memory, true },
	{ "makes a file", makes_a_file, true },
	{ "lists a folder", lists_a_folder, true },
	{ "stats a file", stats_a_file, true },
	{ "forks", forks, true },
	{ "traces another process", traces_another, false },
	{ "reads another's memory", reads_anothers_memory, false },
	{ "signals another", signals_another, true },
	{ "makes code", makes_code, true },
	{ "opens a raw socket", opens_a_raw_socket, true },
	{ "becomes root", becomes_root, false },
	{ "runs a program", runs_a_program, true }, /* last: it would end the process */
};

static bool has_connected(void)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	bool connected = fd >= 0 && getsockname(listener, (struct sockaddr *)&to, &len) == 0 &&
			 connect(fd, (struct sockaddr *)&to, len) == 0;

	if (connected && (peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(peer);
	got_fd(fd);
	return connected;
}

/* What the work needs. Returns what is missing, or NULL. */
static const char *missing(enum process process)
{
	struct slice sealed = { "bytes", 5 }, mapped;
	struct message message;
	struct channel *ends[2];
	const char *why;
	char *memory;
	int fds[2], fd;

	if (!got_fd(epoll_create1(EPOLL_CLOEXEC)))
		return "epoll";
	if (getrandom(fds, sizeof(fds), 0) != sizeof(fds))
		return "randomness";
	memory = malloc(64 << 20);
	if (!memory)
		return "memory";
	memset(memory, 1, 64 << 20);
	free(memory);
	fd = memfd_seal("test", sealed);
	if (fd < 0 || !memfd_map(fd, 5, &mapped, &why) || !slice_equals(mapped, sealed))
		return "memfd";
	close(fd);
	memfd_unmap(mapped);
	if (!channel_pair(fds))
		return "socketpair";
	ends[0] = channel_create(fds[0], process, PROCESS_CONTROL);
	ends[1] = channel_create(fds[1], PROCESS_CONTROL, process);
	if (!channel_send(ends[0], MESSAGE_READY, 0, (struct slice){ 0 }, -1) ||
	    channel_wait(ends[1], &message, 1000) != CHANNEL_MESSAGE)
		return "messages";
	channel_destroy(&ends[0]);
	channel_destroy(&ends[1]);
	if (process != PROCESS_CAPTURE && !has_connected())
		return "connecting";
	return NULL;
}

/* Runs in a child of its own: 0, or 1 + the number of the attempt that got through. */
static int try_all(enum process process, bool sandboxed)
{
	const char *why = NULL;

	if (sandboxed && !sandbox_enter(process, NULL, &why)) {
		fprintf(stderr, "# sandbox_enter: %s\n", why);
		return 100;
	}
	if (sandboxed && missing(process)) {
		fprintf(stderr, "# %s lacks %s: %s\n", process_name(process), missing(process),
			strerror(errno));
		return 101;
	}
	for (size_t i = 0; i < nitems(attempts); i++) {
		bool through = attempts[i].get_through();

		if (sandboxed && through) {
			fprintf(stderr, "# %s %s\n", process_name(process), attempts[i].name);
			return 1 + (int)i;
		}
		if (!sandboxed && !through && attempts[i].open_to_all &&
		    attempts[i].get_through != runs_a_program) {
			fprintf(stderr, "# no sandbox, but refused: %s\n", attempts[i].name);
			return 1 + (int)i;
		}
	}
	return 102; /* runs_a_program did not: that is what the sandbox is for */
}

static int run_child(enum process process, bool sandboxed)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(try_all(process, sandboxed));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* 0: it could not. */
static int run_child_that_connects(void)
{
	const char *why;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(!sandbox_enter(PROCESS_CAPTURE, NULL, &why) || has_connected());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void without_a_sandbox_all_of_it_works(void **state)
{
	assert_int_equal(run_child(PROCESS_TRAFFIC, false), 0);
}

static void traffic_can_work_but_not_get_out(void **state)
{
	assert_int_equal(run_child(PROCESS_TRAFFIC, true), 102);
}

static void manage_can_work_but_not_get_out(void **state)
{
	assert_int_equal(run_child(PROCESS_MANAGE, true), 102);
}

static void resolver_can_work_but_not_get_out(void **state)
{
	assert_int_equal(run_child(PROCESS_RESOLVER, true), 102);
}

static void capture_can_work_but_neither_get_out_nor_connect(void **state)
{
	assert_int_equal(run_child(PROCESS_CAPTURE, true), 102);
	assert_int_equal(run_child_that_connects(), 0);
}

static void control_has_none(void **state)
{
	assert_int_equal(run_child(PROCESS_CONTROL, true), 100);
}

/* What the kernel says of a process inside. */
static void the_kernel_agrees(void **state)
{
	static const char *const lines[] = { "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n",
					     "\nCapPrm:\t0000000000000000\n",
					     "\nCapEff:\t0000000000000000\n",
					     "\nCapInh:\t0000000000000000\n" };
	char path[64], status[8192];
	int ready[2], fd;
	const char *why;
	ssize_t n;
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		if (sandbox_enter(PROCESS_TRAFFIC, NULL, &why) && write(ready[1], "r", 1) == 1)
			poll(NULL, 0, 20000);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, status, sizeof(status) - 1);
	assert_true(n > 0);
	status[n] = '\0';
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (size_t i = 0; i < nitems(lines); i++) {
		if (!strstr(status, lines[i]))
			fail_msg("no %s in %s", lines[i], status);
	}
	if (geteuid() == 0)
		assert_null(strstr(status, "\nUid:\t0"));
}

static int set_up(void **state)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 10) < 0)
		return -1;
	victim = fork();
	if (victim == 0) {
		alarm(30);
		pause();
		_exit(0);
	}
	return victim > 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	close(listener);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_sandbox_all_of_it_works),
		cmocka_unit_test(traffic_can_work_but_not_get_out),
		cmocka_unit_test(manage_can_work_but_not_get_out),
		cmocka_unit_test(resolver_can_work_but_not_get_out),
		cmocka_unit_test(capture_can_work_but_neither_get_out_nor_connect),
		cmocka_unit_test(control_has_none),
		cmocka_unit_test(the_kernel_agrees),
	};

	alarm(30);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
