package main

import (
	"io"
	"strings"
	"unicode/utf8"
)

// A table is rows of cells under headers, printed in aligned columns.
type table struct {
	headers []string
	rows    [][]string
	paint   func(column int, cell string) string // colour, applied after alignment; may be nil
	columns int                                  // of the terminal, to cut at; 0: nothing is cut
}

// add appends a row.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table; the last column is not padded.
func (t *table) write(w io.Writer, headers bool) error {
	widths := t.widths(headers)
	var b strings.Builder
	write := func(row []string, paint func(int, string) string) {
		var line strings.Builder
		writeRow(&line, widths, row, paint)
		b.WriteString(t.cut(line.String()))
	}
	if headers {
		write(t.headers, nil)
	}
	for _, row := range t.rows {
		write(row, t.paint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cut ends a line where the terminal does, with a mark that more would follow.
func (t *table) cut(line string) string {
	runes := []rune(strings.TrimSuffix(line, "\n"))
	if t.columns < 2 || len(runes) <= t.columns || t.paint != nil {
		return line
	}
	return string(runes[:t.columns-1]) + "…\n"
}

// widths returns the width of each column in characters.
func (t *table) widths(headers bool) []int {
	widths := make([]int, len(t.headers))
	rows := t.rows
	if headers {
		rows = append([][]string{t.headers}, rows...)
	}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// writeRow writes one row.
func writeRow(
	b *strings.Builder, widths []int, row []string, paint func(int, string) string,
) {
	for i, cell := range row {
		pad := widths[i] - utf8.RuneCountInString(cell) + 2
		if paint != nil {
			cell = paint(i, cell)
		}
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", pad))
		}
	}
	b.WriteByte('\n')
}
