#include "ipc/sandbox.h"

#include "base/alloc.h"
#include "ipc/channel.h"
#include "tables/events.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define MIB ((rlim_t)1 << 20)
#define NOBODY 65534

static const struct {
	rlim_t memory; /* of address space; a bound for a process gone mad, not a budget */
	rlim_t files;  /* 0: as many as the system lets us */
	bool accepts, dials;
	rlim_t writes; /* of one memfd, beyond what a message is; 0: no more than that */
} limits[PROCESS_COUNT] = {
	[PROCESS_TRAFFIC] = { 8192 * MIB, 0, true, true },
	[PROCESS_MANAGE] = { 2048 * MIB, 4096, true, true },
	[PROCESS_RESOLVER] = { 512 * MIB, 4096, false, true },
	/* limits.capture_bytes at its highest, and what stands before the packets */
	[PROCESS_CAPTURE] = { 512 * MIB, 64, false, false, 1088 * MIB },
};

/* What each may call: descriptors it has, memory, clocks, randomness, its own signals. */
static const int calls_of_all[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(ioctl),
	SCMP_SYS(dup),
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(setitimer),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(getrusage),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getcpu),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static const int calls_to_dial[] = {
	SCMP_SYS(connect),     SCMP_SYS(bind),	      SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
};

static const int calls_to_accept[] = { SCMP_SYS(accept4), SCMP_SYS(accept) };

/* libpcap asks its socket how many packets were dropped. */
static const int calls_to_capture[] = { SCMP_SYS(getsockopt) };

#if SANITIZED
/* The leak check stops the process by tracing it, which is what the sandbox is there to refuse. */
static int entered;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return entered;
}
#endif

static bool drop_user(const char *user, const char **why)
{
	const struct passwd *entry = getpwnam(user ? user : "sallyport");
	uid_t uid = entry ? entry->pw_uid : NOBODY;
	gid_t gid = entry ? entry->pw_gid : NOBODY;

	if (geteuid() != 0)
		return true;
	if (user && !entry) {
		*why = "no such user";
		return false;
	}
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0) {
		*why = "cannot become an unprivileged user";
		return false;
	}
	return true;
}

static bool drop_capabilities(const char **why)
{
	cap_t none = cap_init();
	bool dropped = none && cap_set_proc(none) == 0;

	cap_free(none);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (!dropped || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		*why = "cannot give up capabilities";
		return false;
	}
	/* A change of user forgets it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return true;
}

static bool bound_resources(enum process process, const char **why)
{
	struct rlimit none = { 0, 0 }, files, memory;
	struct rlimit file_size = { CHANNEL_BODY_BYTES, CHANNEL_BODY_BYTES }; /* of a memfd */

	if (limits[process].writes)
		file_size.rlim_cur = file_size.rlim_max = limits[process].writes;
	memory.rlim_cur = memory.rlim_max = limits[process].memory;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
		*why = "cannot read the limit of descriptors";
		return false;
	}
	if (limits[process].files && limits[process].files < files.rlim_max)
		files.rlim_max = limits[process].files;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &file_size) < 0 ||
	    (!SANITIZED && setrlimit(RLIMIT_AS, &memory) < 0)) {
		*why = "cannot bound resources";
		return false;
	}
	return true;
}

/*
 * No file of any kind, and from ABI 6 on no signal or abstract socket of others. The header of
 * Debian 12 knows ABI 2, so the structure is the newest we use and its size goes by the kernel.
 */
static bool close_files(int *abi, const char **why)
{
	static const unsigned rights[] = { 0, 13, 14, 15, 15, 16 }; /* of files, by ABI */
	struct {
		uint64_t fs, net, scoped;
	} attr = { 0 };
	size_t size = sizeof(attr.fs);
	int set;
	bool closed;

	*abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (*abi <= 0) {
		*abi = 0; /* not in this kernel: seccomp refuses opening files as well */
		return true;
	}
	attr.fs = (1u << rights[*abi < (int)nitems(rights) ? *abi : (int)nitems(rights) - 1]) - 1;
	if (*abi >= 6) {
		attr.scoped = 3; /* abstract UNIX sockets, signals */
		size = sizeof(attr);
	}
	set = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	closed = set >= 0 && syscall(SYS_landlock_restrict_self, set, 0) == 0;
	if (set >= 0)
		close(set);
	if (!closed)
		*why = "Landlock refuses";
	return closed;
}

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return failed;
}

/* Calls that are allowed with certain arguments only. */
static int allow_some(scmp_filter_ctx filter, enum process process)
{
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp by_fd = SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH);
	const struct scmp_arg_cmp reading = SCMP_A2(SCMP_CMP_EQ, 0);
	const struct scmp_arg_cmp ourselves = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	int failed = 0;

	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, by_fd);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, reading);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, ourselves);
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
				   SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	if (!limits[process].dials)
		return failed;
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				   SCMP_A0(SCMP_CMP_EQ, AF_INET));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				   SCMP_A0(SCMP_CMP_EQ, AF_INET6));
	return failed;
}

/* Whatever is not allowed fails with EPERM. */
static bool close_calls(enum process process, const char **why)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed = filter ? 0 : -1;

	if (!failed) {
		failed |= seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
		failed |= allow(filter, calls_of_all, nitems(calls_of_all));
		if (limits[process].dials)
			failed |= allow(filter, calls_to_dial, nitems(calls_to_dial));
		if (limits[process].accepts)
			failed |= allow(filter, calls_to_accept, nitems(calls_to_accept));
		if (process == PROCESS_CAPTURE)
			failed |= allow(filter, calls_to_capture, nitems(calls_to_capture));
		failed |= allow_some(filter, process);
	}
	failed = failed || seccomp_load(filter) != 0;
	seccomp_release(filter);
	if (failed)
		*why = "seccomp refuses";
	return !failed;
}

bool sandbox_enter(enum process process, const char *user, const char **why)
{
	int abi = 0;

	*why = "this process has no sandbox";
	if (!limits[process].memory || !drop_user(user, why) || !drop_capabilities(why) ||
	    !bound_resources(process, why) || !close_files(&abi, why) ||
	    !close_calls(process, why)) {
		log_event(EVENT_SANDBOX_FAILED, "process=%s why=\"%s\"", process_name(process),
			  *why);
		return false;
	}
#if SANITIZED
	entered = 1;
#endif
	log_event(EVENT_SANDBOX_ENTERED, "process=%s uid=%d landlock=%d", process_name(process),
		  (int)getuid(), abi);
	return true;
}
