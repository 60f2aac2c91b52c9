/* What the verbs of control share. */
#ifndef PROCESS_CONFIGURE_INTERNAL_H
#define PROCESS_CONFIGURE_INTERNAL_H

#include "process/configure.h"
#include "process/plan.h"

struct order {
	const struct configure *configure;
	const char *author;
	const char *const *words; /* behind the author */
	size_t count;
	struct buffer out;     /* for people */
	bool dry;	       /* only say what would be */
	bool tells_difference; /* rather than the new values */
	struct configure_try *try;
};

typedef bool order_fn(struct order *order, char **why);

static inline struct store *order_store(const struct order *order)
{
	return order->configure->node->store;
}

/* Whether nodes of this role have the setting. */
static inline bool order_has(const struct order *order, const struct setting *setting)
{
	return (setting->roles & order->configure->node->bootstrap->role->bit) != 0;
}

/* Checks the plan as a whole, stores it as one revision, logs it and tells whom it concerns; writes
 * the new values for people. Finishes the plan. */
bool order_carry_out(struct order *order, struct plan *plan, char **why);

/* The setting with its private key; NULL: none has. */
const struct setting *order_key_of(const struct setting *certificate);
/* Certificate and key in one text change at once: no moment in which they don't fit. False and
 * *why. */
bool order_add_key_beside(struct plan *plan, const struct setting *setting,
			  const char *const *words, size_t count, char **why);

/* "-" and "+" lines: the entries that are in one of both only (dry_run.c). */
void order_write_difference(struct buffer *out, const struct setting *setting,
			    const struct setting_value *before, const struct setting_value *after);
/* The same of each change, against what is in force. */
void order_write_differences(struct buffer *out, const struct order *order,
			     const struct plan *plan);
/* A dry run's answer: the differences, what each restarts or not, and what traffic is to be asked.
 */
void order_tell(struct order *order, const struct plan *plan);

/* Settings as text, and past ones (configure_file.c). */
order_fn order_export, order_values, order_apply, order_diff, order_restore;

/* What other nodes and AXL say (configure.h), and nodes and home servers by hand. */
order_fn order_edge_told, order_domains_told, order_node_pair, order_node_add, order_node_remove,
	order_node_list, order_home_server_put, order_home_server_add, order_home_server_password,
	order_home_server_remove, order_axl_user_put, order_realms_written, order_rows_set;

/* Certificates for the world (cert_orders.c). */
order_fn order_cert_csr, order_cert_install;

/* Accounts of the web page (configure_accounts.c). */
order_fn order_account_add, order_account_password, order_account_remove;

/* The log, for a time (log_orders.c). */
order_fn order_log_level, order_log_stanzas;

#endif
