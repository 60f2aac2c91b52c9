#include "tables/events.h"

#include "base/alloc.h"

const struct event_row event_rows[EVENT_COUNT] = {
#define X(id, module, level, location, text)                                                       \
	[EVENT_##id] = { EVENT_MODULE_##module, LOG_LEVEL_##level, location, text },
	EVENTS(X)
#undef X
};

static bool has_fields(enum event_id event)
{
	switch (event) {
#define X(id) case EVENT_##id:
		EVENTS_WITH_FIELDS(X)
#undef X
		return true;
	default:
		return false;
	}
}

static const char *const module_names[EVENT_MODULE_COUNT] = {
#define X(id, name) [EVENT_MODULE_##id] = name,
	EVENT_MODULES(X)
#undef X
};

enum log_level event_levels[EVENT_MODULE_COUNT] = {
#define X(id, name) [EVENT_MODULE_##id] = LOG_LEVEL_INFO,
	EVENT_MODULES(X)
#undef X
};

const char *event_module_name(enum event_module module)
{
	return module_names[module];
}

bool log_set_level(const char *module, enum log_level level)
{
	for (size_t i = 0; i < nitems(module_names); i++) {
		if (strcmp(module_names[i], module) == 0) {
			event_levels[i] = level;
			return true;
		}
	}
	return false;
}

void event_write(enum event_id event, const char *format, ...)
{
	const struct event_row *row = &event_rows[event];
	va_list args;

	va_start(args, format);
	log_write(module_names[row->module], row->level, row->location, format, args);
	va_end(args);
}

void event_write_fields(enum event_id event, const struct log_field *fields)
{
	const struct event_row *row = &event_rows[event];

	log_write_fields(module_names[row->module], row->level,
			 has_fields(event) ? NULL : row->location, fields);
}
