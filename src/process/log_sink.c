#include "process/log_sink.h"

#include "base/alloc.h"
#include "base/log.h"
#include "process/log_output.h"
#include "tables/events.h"

#include <stdlib.h>

#define KEEP_AT_FIRST 1000 /* until the settings are known */

struct log_sink {
	struct log_output output;
	struct log_feed *feed;
	void (*tap)(void *arg, struct slice line);
	void *tap_arg;
};

static bool take_line(void *arg, struct slice line)
{
	struct log_sink *sink = arg;
	struct event_line event;

	if (!event_line_read(&event, line)) {
		log_event(EVENT_PROCESS_SAID, "%.*s", SLICE_ARGS(line));
		return true;
	}
	log_feed_add(sink->feed, line);
	if (sink->tap)
		sink->tap(sink->tap_arg, line);
	return log_output_write(&sink->output, line, &event);
}

struct log_sink *log_sink_create(int fd)
{
	struct log_sink *sink = xcalloc(1, sizeof(*sink));

	log_output_open(&sink->output, fd);
	sink->feed = log_feed_create(KEEP_AT_FIRST);
	log_divert(take_line, sink);
	return sink;
}

void log_sink_destroy(struct log_sink **sink)
{
	if (!*sink)
		return;
	log_divert(NULL, NULL);
	log_output_close(&(*sink)->output);
	log_feed_destroy(&(*sink)->feed);
	free(*sink);
	*sink = NULL;
}

void log_sink_set(struct log_sink *sink, bool json, size_t keep)
{
	sink->output.json = json;
	log_feed_keep(sink->feed, keep);
}

void log_sink_tap(struct log_sink *sink, void (*line)(void *arg, struct slice line), void *arg)
{
	sink->tap = line;
	sink->tap_arg = arg;
}

struct log_feed *log_sink_feed(struct log_sink *sink)
{
	return sink->feed;
}
