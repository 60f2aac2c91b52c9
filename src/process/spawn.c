#include "process/spawn.h"

#include "base/alloc.h"
#include "ipc/channel.h"
#include "tables/events.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_CLOSED (CHANNEL_CONTROL_FD + 1)

/* Moved up first, for either may lie where the other must go. */
static bool place_descriptors(int channel, int log)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	channel = fcntl(channel, F_DUPFD_CLOEXEC, FIRST_CLOSED);
	log = fcntl(log, F_DUPFD_CLOEXEC, FIRST_CLOSED);
	return null >= 0 && channel >= 0 && log >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	       dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0 &&
	       dup2(channel, CHANNEL_CONTROL_FD) >= 0 && close_range(FIRST_CLOSED, ~0U, 0) == 0;
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

/*
 * Between fork and exec. A session of its own, so that a Ctrl-C on our terminal reaches us alone
 * and the stop is orderly.
 */
static _Noreturn void become(const char *program, int channel, int log, pid_t parent)
{
	char *const arguments[] = { xstrdup(program), NULL };

	if (!place_descriptors(channel, log))
		_exit(SPAWN_NOT_RUN);
	reset_signals();
	setsid();
	umask(077);
	unsetenv("NOTIFY_SOCKET");  /* only control speaks for the service */
	unsetenv("JOURNAL_STREAM"); /* and only control writes there */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir("/") < 0) /* it died before the line above */
		_exit(SPAWN_NOT_RUN);
	log_divert(NULL, NULL); /* what goes wrong now is the child's line */
	log_init(NULL, basename(program));
	execv(program, arguments);
	log_event(EVENT_PROCESS_FAILED, "why=\"cannot run %s: %s\"", log_text(program),
		  strerror(errno));
	_exit(SPAWN_NOT_RUN);
}

pid_t spawn_program(const char *program, int channel, int log)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become(program, channel, log, parent);
	return pid;
}
