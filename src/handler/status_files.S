/* status_files.S: the files of src/handler/status/, as they are, for status_file.c. */
        .macro  embed name, path
        .globl  status_\name\()_start, status_\name\()_end
        .hidden status_\name\()_start, status_\name\()_end
status_\name\()_start:
        .incbin "\path"
status_\name\()_end:
        .byte   0
        .endm

        .section .rodata
        embed   index, "src/handler/status/index.html"
        embed   script, "src/handler/status/app.js"
        embed   format, "src/handler/status/format.js"
        embed   charts, "src/handler/status/charts.js"
        embed   tables, "src/handler/status/tables.js"
        embed   style, "src/handler/status/style.css"
        embed   icon, "src/handler/status/icon.svg"

        .section .note.GNU-stack, "", %progbits
