/*
 * The log of all processes of this node as manage has it: the last lines (settings events.keep),
 * numbered as control numbers them, so that a number means the same line after manage was started
 * again, and a gap shows that lines were lost on the way. Answers questions about them, and tells
 * new ones to whoever follows. It never logs: a line about a line would never end. No I/O.
 */
#ifndef ADMIN_EVENT_LOG_H
#define ADMIN_EVENT_LOG_H

#include "admin/event_line.h"

#define EVENT_LOG_BYTES_MAX ((size_t)32 << 20) /* of all lines, however few they are then */
#define EVENT_LOG_LIMIT_MAX 10000	       /* events of one answer */
#define EVENT_LOG_FOLLOWERS_MAX 64	       /* at once */
#define EVENT_LOG_FILTER_BYTES 256	       /* of one text in a filter */

/* What of the log is wanted: all of it if all is zero but level, which is then LOG_LEVEL_DEBUG
 * (EVENT_FILTER_ALL). */
struct event_filter {
	char domain[EVENT_LOG_FILTER_BYTES]; /* empty: any; so it is with the others */
	char stream[EVENT_LOG_FILTER_BYTES]; /* its xcoder */
	char module[EVENT_LOG_FILTER_BYTES];
	char text[EVENT_LOG_FILTER_BYTES]; /* somewhere in the line; case does not matter */
	enum log_level level;		   /* and what is more serious */
	int64_t since;			   /* seconds since 1970; 0: from the first on */
	const char *without;		   /* a CodeLocation that is not shown; NULL: all are */
};
#define EVENT_FILTER_ALL ((struct event_filter){ .level = LOG_LEVEL_DEBUG })

/* One key of it, as `sallyport log` and the JSON API have them: domain, stream, module, level,
 * text, since (a number of seconds before `now`, seconds since 1970). False: *why. */
bool event_filter_set(struct event_filter *filter, const char *key, const char *value, int64_t now,
		      const char **why);

struct event_log;
struct event_log *event_log_create(size_t keep);
void event_log_destroy(struct event_log **log);		 /* nobody may follow it any more */
void event_log_keep(struct event_log *log, size_t keep); /* so many from now on */
/* The body of a MESSAGE_EVENT: u64 number of its first line, then lines. False: it is none. */
bool event_log_take(struct event_log *log, struct slice body);

/*
 * {"events":[EVENT...],"first":SEQ,"last":SEQ}: the newest `limit` of those that the filter wants
 * and whose number is below `before` (0: all), oldest first. first and last: what the log has at
 * all, 0 if nothing. The caller owns it.
 */
json_t *event_log_query(const struct event_log *log, const struct event_filter *filter,
			uint64_t before, size_t limit);
/* The same as lines of text, each ended by a newline; the caller frees it. */
char *event_log_text(const struct event_log *log, const struct event_filter *filter,
		     uint64_t before, size_t limit);

/* One new event that the filter wants, lent until it returns; `line` is the whole of it. It may
 * unfollow any follower, itself too. */
typedef void event_log_fn(void *arg, uint64_t seq, struct slice line,
			  const struct event_line *event);
struct event_follower;
/* NULL: too many follow already. The filter is copied. */
struct event_follower *event_log_follow(struct event_log *log, const struct event_filter *filter,
					event_log_fn *take, void *arg);
void event_log_unfollow(struct event_follower **follower); /* NULL: fine */

#endif
