/*
 * What the command needs of the bootstrap file: where the control socket is. The other options
 * are sallyportd's, which checks them; here they are passed over.
 */
#ifndef CTL_BOOTSTRAP_H
#define CTL_BOOTSTRAP_H

#include <stdbool.h>

#define BOOTSTRAP_FILE "/etc/sallyport/sallyport.conf"

/* The path of the control socket, freed by the caller; NULL: *why, freed by the caller. */
char *bootstrap_socket(const char *file, char **why);

#endif
