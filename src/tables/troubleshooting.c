/*
 * Writes docs/troubleshooting.md from the tables of symptoms, failures and alarms: to standard
 * output, or, given a file, checks that this is what it has.
 */
#include "base/alloc.h"
#include "base/buffer.h"
#include "tables/alarms.h"
#include "tables/failures.h"
#include "tables/symptoms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char begin[] =
	"<!-- Made by build/src/tables/troubleshooting from src/tables/symptoms.h, failures.h and\n"
	"     alarms.h: change these, and run it again. -->\n"
	"# Troubleshooting\n\n"
	"Ask first, on the core if you can reach it:\n\n"
	"    sallyport doctor\n\n"
	"It looks at all nodes that the core reaches and names what is wrong, the cause before "
	"what\n"
	"follows from it, with a number. Each number has a section below. If it finds nothing and "
	"one\n"
	"domain cannot be reached, ask `sallyport why DOMAIN`; if somebody has a message that "
	"came\n"
	"back, look for its words under [What the sender reads](#what-the-sender-reads).\n\n"
	"| Exit code of doctor | |\n|---|---|\n"
	"| 0 | nothing is wrong |\n"
	"| 1 | something is, or a node could not be looked at: that is a finding too |\n"
	"| 2 | it could not look: this node itself does not answer |\n\n"
	"## What doctor names\n\n"
	"In the commands {} stands for what the finding is about.\n\n";

/* Text inside a table: a bar would end the cell. */
static void cell(struct buffer *out, const char *text)
{
	for (; *text; text++)
		buffer_printf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void sentence(struct buffer *out, const char *text)
{
	size_t len = strlen(text);

	buffer_printf(out, "%c%s%s\n\n", text[0] >= 'a' && text[0] <= 'z' ? text[0] - 32 : text[0],
		      text + 1, len && text[len - 1] == '.' ? "" : ".");
}

static void symptoms(struct buffer *out)
{
	for (enum symptom s = 0; s < SYMPTOM_COUNT; s++) {
		const struct symptom_row *row = &symptom_rows[s];

		if (row->applies != SYMPTOM_DOCTOR)
			continue;
		buffer_printf(out, "### %u: %s\n\n", row->number, row->title);
		sentence(out, row->cause);
		buffer_append_text(out, "**What helps:** ");
		buffer_append_text(out, row->fix);
		buffer_append_text(out, ".\n\n");
		if (*row->command)
			buffer_printf(out, "    %s\n\n", row->command);
	}
}

static void others(struct buffer *out)
{
	buffer_append_text(out, "## What cannot happen, or is not looked for yet\n\n"
				"| # | Symptom | |\n|---|---|---|\n");
	for (enum symptom s = 0; s < SYMPTOM_COUNT; s++) {
		const struct symptom_row *row = &symptom_rows[s];

		if (row->applies == SYMPTOM_DOCTOR)
			continue;
		buffer_printf(out, "| %u | %s | %s: ", row->number, row->title,
			      row->applies == SYMPTOM_NO ? "cannot happen" : "not yet");
		cell(out, row->cause);
		buffer_append_text(out, " |\n");
	}
	buffer_append_text(out, "\n");
}

static void failures(struct buffer *out)
{
	buffer_append_text(out,
			   "## What the sender reads\n\n"
			   "The text of the error with which a message comes back, its name in "
			   "the log (`why=`), and what an operator should know.\n\n"
			   "| Text | Name | |\n|---|---|---|\n");
	for (size_t i = 1; i < FAILURE_COUNT; i++) {
		buffer_append_text(out, "| ");
		cell(out, failure_rows[i].text);
		buffer_printf(out, " | `%s` | ", failure_rows[i].name);
		cell(out, failure_rows[i].advice);
		buffer_append_text(out, " |\n");
	}
	buffer_append_text(out, "\n");
}

static void alarms(struct buffer *out)
{
	buffer_append_text(out, "## Alarms\n\n"
				"| Number | Title | Severity | Cause | What helps |\n"
				"|---|---|---|---|---|\n");
	for (size_t i = 0; i < ALARM_COUNT; i++) {
		const struct alarm_row *row = &alarm_rows[i];

		buffer_printf(out, "| %u | %s | %s | ", row->number, row->title, row->severity);
		cell(out, row->cause);
		buffer_append_text(out, " | ");
		cell(out, row->fix);
		buffer_append_text(out, " |\n");
	}
}

static bool is_content_of(const char *path, const struct buffer *page)
{
	size_t len = buffer_len(page);
	char *content = xcalloc(1, len + 1);
	FILE *file = fopen(path, "re");
	bool same = file && fread(content, 1, len + 1, file) == len &&
		    memcmp(content, buffer_data(page), len) == 0;

	if (file)
		fclose(file);
	free(content);
	return same;
}

int main(int argc, char **argv)
{
	struct buffer page = { 0 };
	bool good;

	buffer_append_text(&page, begin);
	symptoms(&page);
	others(&page);
	failures(&page);
	alarms(&page);
	if (argc > 1)
		good = is_content_of(argv[1], &page);
	else
		good = fwrite(buffer_data(&page), 1, buffer_len(&page), stdout) ==
		       buffer_len(&page);
	if (argc > 1 && !good)
		fprintf(stderr, "%s is not what the tables say: run %s > %s\n", argv[1], argv[0],
			argv[1]);
	buffer_finish(&page);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
