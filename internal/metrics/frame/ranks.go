package frame

import (
	"cmp"
	"slices"
)

// ranksOf are the positions of rows of label values in their order; equal rows have the same one. All rows have as many values. Rows are
// sorted value by value, the last one first, by counting.
func ranksOf(rows [][]string) []int32 {
	ranks := make([]int32, len(rows))
	if len(rows) == 0 {
		return ranks
	}
	order, scratch := make([]int32, len(rows)), make([]int32, len(rows))
	for i := range order {
		order[i] = int32(i)
	}
	column := make([]int32, len(rows))
	for at := len(rows[0]) - 1; at >= 0; at-- {
		next := make([]int32, rankColumn(column, rows, at)+1)
		if len(next) == 2 {
			continue // the same value everywhere
		}
		for _, rank := range column {
			next[rank+1]++
		}
		for i := 1; i < len(next); i++ {
			next[i] += next[i-1]
		}
		for _, i := range order {
			scratch[next[column[i]]] = i
			next[column[i]]++
		}
		order, scratch = scratch, order
	}
	for n := 1; n < len(order); n++ {
		ranks[order[n]] = ranks[order[n-1]]
		if !slices.Equal(rows[order[n]], rows[order[n-1]]) {
			ranks[order[n]]++
		}
	}
	return ranks
}

// rankColumn ranks one value of every row, and says how many different ones there are.
func rankColumn(ranks []int32, rows [][]string, at int) int {
	number, values, last := map[string]int32{}, []string(nil), int32(-1)
	for i, row := range rows {
		if last < 0 || values[last] != row[at] {
			n, known := number[row[at]]
			if !known {
				n = int32(len(values))
				number[row[at]] = n
				values = append(values, row[at])
			}
			last = n
		}
		ranks[i] = last
	}
	if len(values) == 1 {
		return 1
	}
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(values[a], values[b]) })
	rankOf := make([]int32, len(values))
	for rank, n := range order {
		rankOf[n] = int32(rank)
	}
	for i, n := range ranks {
		ranks[i] = rankOf[n]
	}
	return len(values)
}
