/*
 * The command: finds the node's control socket, asks what the words say, prints the answer.
 * Exit code 0: done; 1: refused or failed; 2: no such command, or not its arguments.
 */
#include "base/alloc.h"
#include "ctl/bootstrap.h"
#include "ctl/client.h"
#include "ctl/grammar.h"
#include "ctl/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USAGE REPLY_UNKNOWN

extern const char completion_bash[], completion_zsh[], completion_fish[]; /* made by ctl/pages */

struct job {
	const char *file, *socket; /* -c, -s */
	const struct command *command;
	const char *const *words;
	size_t count, named; /* words; how many of them name the command */
	bool json;
};

static void print(FILE *to, struct slice text)
{
	char *shown = isatty(fileno(to)) ? screen_text(text) : xstrndup(text.data, text.len);
	size_t len = strlen(shown);

	fprintf(to, "%s%s", shown, len && shown[len - 1] != '\n' ? "\n" : "");
	free(shown);
}

static void print_buffer(FILE *to, struct buffer *out)
{
	print(to, (struct slice){ buffer_data(out), buffer_len(out) });
	buffer_finish(out);
}

static int fail(const char *format, const char *what)
{
	char *text = xasprintf("sallyport: %s%s", format, what);

	print(stderr, slice_of(text));
	free(text);
	return REPLY_FAILED;
}

static int completion(const char *shell)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = { { "bash", completion_bash },
			{ "zsh", completion_zsh },
			{ "fish", completion_fish } };

	for (size_t i = 0; i < nitems(scripts); i++) {
		if (strcmp(scripts[i].shell, shell) == 0)
			return fputs(scripts[i].script, stdout) < 0 ? REPLY_FAILED : REPLY_DONE;
	}
	fail("a shell that is not known: ", shell);
	return USAGE;
}

static int help(const struct job *job)
{
	const struct command *about = NULL;
	struct buffer out = { 0 };
	size_t used;

	if (job->count > job->named) {
		about = command_find(job->words + job->named, job->count - job->named, &used);
		if (!about && !command_usages(&out, job->words[job->named])) {
			fail("no such command: ", job->words[job->named]);
			return USAGE;
		}
	}
	if (!buffer_len(&out))
		command_help(&out, about);
	print_buffer(stdout, &out);
	return REPLY_DONE;
}

/* The content of a file, without the newline at its end; NULL: it was said why not. */
static char *file_content(const char *path)
{
	struct buffer content = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0 && buffer_len(&content) <= PROTOCOL_REQUEST_BYTES) {
		got = read(fd, buffer_reserve(&content, 65536), 65536);
		buffer_filled(&content, got > 0 ? (size_t)got : 0);
	}
	if (got < 0) {
		char *why = xasprintf("%s: %s", path, strerror(errno));

		fail("cannot read ", why);
		free(why);
	} else if (got > 0) {
		fail("too large for a setting: ", path);
	} else if (memchr(content.memory ? buffer_data(&content) : "", '\0',
			  buffer_len(&content))) {
		fail("not text: ", path);
		got = -1;
	}
	if (fd >= 0)
		close(fd);
	if (got != 0) {
		buffer_finish(&content);
		return NULL;
	}
	if (buffer_len(&content) && buffer_data(&content)[buffer_len(&content) - 1] == '\n')
		content.end--;
	return buffer_take_text(&content);
}

/* "@FILE" replaced by its content, "@@x" by "@x"; the caller's. NULL: it was said why. */
static char *expand_at(const char *word)
{
	return word[1] == '@' ? xstrdup(word + 1) : file_content(word + 1);
}

static char *expand_keyed(const char *word)
{
	const char *at = strstr(word, "=@");
	char *content = at ? expand_at(at + 1) : NULL, *expanded;

	if (!at)
		return xstrdup(word);
	if (!content)
		return NULL;
	expanded = xasprintf("%.*s%s", (int)(at + 1 - word), word, content);
	free(content);
	return expanded;
}

static char *expand_word(const struct job *job, size_t place)
{
	const char *word = job->words[place];
	bool is_value = place > job->named;

	switch (job->command->from_files) {
	case FILES_AT:
		return is_value && word[0] == '@' ? expand_at(word) : xstrdup(word);
	case FILES_KEYED:
		return is_value ? expand_keyed(word) : xstrdup(word);
	case FILES_LAST:
		if (place + 1 == job->count)
			return file_content(strcmp(word, "-") == 0 ? "/dev/stdin" : word);
		return xstrdup(word);
	case FILES_NO:
		break;
	}
	return xstrdup(word);
}

/* The words as they are sent, each a copy. False: it was said why. */
static bool expand(const struct job *job, char **words)
{
	for (size_t i = 0; i < job->count; i++) {
		words[i] = expand_word(job, i);
		if (!words[i])
			return false;
	}
	return true;
}

/* The request as a line; false: it was said why not. */
static bool compose(const struct job *job, struct buffer *request)
{
	char **words = xcalloc(job->count, sizeof(*words));
	const char **lent = xcalloc(job->count, sizeof(*lent));
	bool composed = expand(job, words);

	for (size_t i = 0; i < job->count; i++)
		lent[i] = words[i];
	if (composed && !request_write(request, lent, job->count, job->json)) {
		fail("what is to be sent is not UTF-8", "");
		composed = false;
	} else if (composed && buffer_len(request) > PROTOCOL_REQUEST_BYTES) {
		fail("that is too large to be sent", "");
		composed = false;
	}
	for (size_t i = 0; i < job->count; i++)
		free(words[i]);
	free(words);
	free(lent);
	return composed;
}

static int show(const struct job *job, const struct reply *reply)
{
	char *json;

	if (reply->status != REPLY_DONE && !reply->data) { /* with data it is an answer: doctor's */
		char *text = xstrndup(reply->text.data, reply->text.len);

		fail(text, "");
		free(text);
	} else if (job->json && reply->data) {
		json = json_dumps(reply->data, JSON_INDENT(2));
		print(stdout, slice_of(json));
		free(json);
	} else {
		print(stdout, reply->text);
	}
	return (int)reply->status;
}

/* A piece with --json is a line, so that what reads them can tell them apart. */
static bool show_piece(void *arg, const struct reply *piece)
{
	const struct job *job = arg;
	char *json;

	if (job->json && piece->data) {
		json = json_dumps(piece->data, JSON_COMPACT);
		print(stdout, slice_of(json));
		free(json);
	} else {
		print(stdout, piece->text);
	}
	return fflush(stdout) == 0;
}

/* On standard error: the answer alone goes to standard output. */
static void say_waiting(void)
{
	fputs("waiting...\n", stderr);
}

static int ask(const struct job *job)
{
	struct buffer request = { 0 };
	struct reply reply = { 0 };
	char *why = NULL, *path = NULL;
	const struct client_pieces pieces = { show_piece, (void *)(uintptr_t)job };
	int status = REPLY_FAILED;
	bool slow = job->command->place == COMMAND_MANAGE;

	if (compose(job, &request)) {
		path = job->socket ? xstrdup(job->socket) : bootstrap_socket(job->file, &why);
		if (path &&
		    client_ask(path, (struct slice){ buffer_data(&request), buffer_len(&request) },
			       slow ? say_waiting : NULL, job->command->streams ? &pieces : NULL,
			       &reply, &why))
			status = show(job, &reply);
		else
			fail(why, "");
	}
	reply_finish(&reply);
	buffer_finish(&request);
	free(path);
	free(why);
	return status;
}

/* Said when the words do not do; `word` (NULL: none) is what they begin with. */
static int usage(const struct command *command, const char *word)
{
	struct buffer out = { 0 };

	if (command)
		command_usage(&out, command);
	else if (word && !command_usages(&out, word))
		buffer_printf(&out, "sallyport: no such command: %s; `sallyport help` lists them\n",
			      word);
	else if (!word)
		command_help(&out, NULL);
	print_buffer(stderr, &out);
	return USAGE;
}

static bool read_options(struct job *job, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+c:s:")) != -1) {
		if (option == 'c')
			job->file = optarg;
		else if (option == 's')
			job->socket = optarg;
		else
			return false;
	}
	job->words = (const char *const *)argv + optind;
	job->count = (size_t)(argc - optind);
	return job->count > 0;
}

/* --json behind the command says how the answer is wanted, and is no argument. */
static void take_json(struct job *job, char **words)
{
	if (!command_has_json(job->command) || job->count == job->named ||
	    strcmp(words[job->named], "--json") != 0)
		return;
	memmove(words + job->named, words + job->named + 1,
		(job->count - job->named - 1) * sizeof(*words));
	job->json = true;
	job->count--;
}

int main(int argc, char **argv)
{
	struct job job = { .file = BOOTSTRAP_FILE };

	if (!read_options(&job, argc, argv))
		return usage(NULL, NULL);
	job.command = command_find(job.words, job.count, &job.named);
	if (!job.command)
		return usage(NULL, job.words[0]);
	take_json(&job, argv + optind);
	if (!command_takes(job.command, job.count - job.named))
		return usage(job.command, NULL);
	if (strcmp(job.command->words, "completion") == 0)
		return completion(job.words[job.named]);
	return job.command->place == COMMAND_HERE ? help(&job) : ask(&job);
}
