#include "admin/diag_internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* A capture on its way to who asked for it: a piece is fetched when the one before is taken. */
struct diag_save {
	struct diag_save *next;
	struct diag *diag;
	uint64_t number, offset;
	char *author, *name;
	struct timer timer;
};

static struct diag_save *find(const struct diag *diag, uint64_t number)
{
	struct diag_save *save = diag->saves;

	while (save && save->number != number)
		save = save->next;
	return save;
}

static void drop(struct diag_save *save)
{
	struct diag_save **at = &save->diag->saves;

	while (*at != save)
		at = &(*at)->next;
	*at = save->next;
	loop_disarm(save->diag->config.loop, &save->timer);
	free(save->author);
	free(save->name);
	free(save);
}

void diag_save_gone(void *arg, uint64_t number)
{
	struct diag_save *save = find(arg, number);

	if (save)
		drop(save);
}

void diag_saves_finish(struct diag *diag)
{
	while (diag->saves)
		drop(diag->saves);
}

static void end(struct diag_save *save, bool done, const char *text)
{
	struct desk *desk = save->diag->config.desk;
	uint64_t number = save->number;

	drop(save);
	desk_answer(desk, number, done ? REPLY_DONE : REPLY_FAILED, text, NULL);
}

static void on_piece(struct diag *diag, uint64_t number, const struct diag_answer *answer)
{
	struct diag_save *save = find(diag, number);
	struct buffer bytes = { 0 };
	uint64_t size = 0;
	char *text;

	if (!save)
		return;
	if (!answer->done || !diag_piece_read(answer->data, &bytes, &size)) {
		end(save, false,
		    answer->done ? "control answers what cannot be read" : answer->text);
		return;
	}
	save->offset += buffer_len(&bytes);
	if (buffer_len(&bytes))
		desk_tell(diag->config.desk, number, "", answer->data);
	save = find(diag, number); /* who asked may have gone in it */
	if (save && (save->offset >= size || !buffer_len(&bytes))) {
		text = xasprintf("%" PRIu64 " bytes", save->offset);
		end(save, true, text);
		free(text);
	} else if (save) {
		loop_arm(diag->config.loop, &save->timer, 0);
	}
	buffer_finish(&bytes);
}

static void go_on(struct timer *timer)
{
	struct diag_save *save = (void *)((char *)timer - offsetof(struct diag_save, timer));
	struct diag *diag = save->diag;
	char *place;

	if (desk_behind(diag->config.desk, save->number) > DIAG_BEHIND_BYTES) {
		loop_arm(diag->config.loop, timer, DIAG_WAIT_MS);
		return;
	}
	place = xasprintf("%" PRIu64, save->offset);
	diag_ask_control_piece(diag, save->author,
			       (const char *[]){ "capture-part", save->name, place, NULL },
			       on_piece, save->number);
	free(place);
}

void diag_capture_get(void *arg, const struct errand *errand)
{
	struct diag *diag = arg;
	struct diag_save *save = xcalloc(1, sizeof(*save));

	save->diag = diag;
	save->number = errand->number;
	save->author = xstrdup(errand->visitor->name);
	save->name = xstrdup(errand->words[0]);
	save->timer.fire = go_on;
	save->next = diag->saves;
	diag->saves = save;
	loop_arm(diag->config.loop, &save->timer, 0);
}
