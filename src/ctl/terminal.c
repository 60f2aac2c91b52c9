#include "ctl/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SAID_EVERY_S 10 /* where nobody watches it count */

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return (!no || !*no) && term && *term && strcmp(term, "dumb") != 0;
}

struct terminal terminal_look(FILE *stream)
{
	struct terminal terminal = { .is = isatty(fileno(stream)) };
	struct winsize size;

	if (!terminal.is)
		return terminal;
	terminal.colour = wants_colour();
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
		terminal.columns = size.ws_col;
	return terminal;
}

static bool counting; /* there is a line to go */

void terminal_say_waiting(unsigned seconds)
{
	if (isatty(STDERR_FILENO)) {
		fprintf(stderr, "\rwaiting for %u s ", seconds);
		counting = true;
	} else if (seconds == 1) {
		fputs("waiting...\n", stderr);
	} else if (seconds % SAID_EVERY_S == 0) {
		fprintf(stderr, "waiting for %u s\n", seconds);
	}
	fflush(stderr);
}

void terminal_end_waiting(void)
{
	if (counting)
		fprintf(stderr, "\r%*s\r", 24, "");
	counting = false;
}
