/*
 * What the files of diagnosis share: diag.c (its life, and questions to whoever knows),
 * diag_verbs.c (what people ask), diag_parts.c (what this node has), diag_save.c (files, piece by
 * piece), diag_bundle.c and diag_archive.c (that of all nodes).
 */
#ifndef ADMIN_DIAG_INTERNAL_H
#define ADMIN_DIAG_INTERNAL_H

#include "admin/diag.h"

#define DIAG_PIECE_BYTES ((size_t)1 << 20)
#define DIAG_ASK_MS 20000		    /* for another node's answer */
#define DIAG_BEHIND_BYTES ((size_t)1 << 20) /* untaken, of who saves: then we wait */
#define DIAG_WAIT_MS 20
#define DIAG_DOCUMENTS 8

struct diag_answer {
	const char *node; /* "": this one */
	bool done;
	const char *text;
	json_t *data; /* NULL: none */
};
/* `number` is the asker's own: what it stood for may be gone meanwhile. */
typedef void diag_answered_fn(struct diag *diag, uint64_t number, const struct diag_answer *answer);

/* A text that is handed out in pieces, as it was when the first was asked for. */
struct diag_document {
	char *author, *what;
	struct buffer text;
};

struct diag {
	struct diag_config config;
	char *node;
	struct diag_ask *asks;
	uint64_t tags;
	struct diag_round *rounds;
	struct diag_save *saves;
	struct diag_bundle *bundle; /* one at a time */
	struct diag_document documents[DIAG_DOCUMENTS];
	size_t next_document; /* that makes room */
};

/* diag.c: questions; each is answered exactly once, some from inside. */
void diag_ask_control(struct diag *diag, const char *author, const char *const *words,
		      diag_answered_fn *answered, uint64_t number);
/* Likewise, and its answer "SIZE BASE64" comes as data. */
void diag_ask_control_piece(struct diag *diag, const char *author, const char *const *words,
			    diag_answered_fn *answered, uint64_t number);
void diag_ask_node(struct diag *diag, const char *node, const char *const *words, size_t count,
		   diag_answered_fn *answered, uint64_t number);
void diag_ask_desk(struct diag *diag, const char *author, const char *const *words, size_t count,
		   diag_answered_fn *answered, uint64_t number);

/* Names of the nodes that can be asked now: a core asks the others, nobody asks a core. */
json_t *diag_others(const struct diag *diag);
/* Whether that one would be, by the status that it told last. */
bool diag_is_asked(const json_t *status);
#define DIAG_UNREACHED "it cannot be asked: its tunnel is down"

/* diag_parts.c */
void diag_part(struct diag *diag, const char *author, const char *what, uint64_t offset,
	       diag_answered_fn *answered, uint64_t number);
bool diag_part_is(const char *what);
bool diag_offset_read(const char *text, uint64_t *offset);
json_t *diag_piece(uint64_t size, struct slice bytes);
/* The bytes of a piece, appended; false: it is none. */
bool diag_piece_read(const json_t *piece, struct buffer *out, uint64_t *size);
void diag_documents_finish(struct diag *diag);

/* diag_verbs.c */
extern const struct desk_part diag_verbs[];
void diag_rounds_finish(struct diag *diag);

/* diag_save.c */
void diag_capture_get(void *arg, const struct errand *errand);
void diag_save_gone(void *arg, uint64_t number);
void diag_saves_finish(struct diag *diag);

/* diag_bundle.c */
void diag_bundle_begin(void *arg, const struct errand *errand);
void diag_bundle_gone(void *arg, uint64_t number);
void diag_bundle_finish(struct diag *diag);

#endif
