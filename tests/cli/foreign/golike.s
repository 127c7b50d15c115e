# SPDX-License-Identifier: Apache-2.0
# What the linker of Go puts into every program: its note, and where its build information
# is.  "Go" and two NULs count as its owner's name.
	.section .note.go.buildid, "a", %note
	.balign	4
	.long	4, 16, 4
	.ascii	"Go\0\0"
	.ascii	"0123456789abcdef"

	.section .go.buildinfo, "aw", %progbits
	.balign	16
	.ascii	"\377 Go buildinf:"
	.byte	8, 2
	.zero	16
	.section .note.GNU-stack, "", %progbits
