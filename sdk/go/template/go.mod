module actor

go 1.24

require theater v0.0.0

replace theater => ./theater
