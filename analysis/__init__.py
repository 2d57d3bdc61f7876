"""From run folders to tables, statistics, figures and tables of the paper."""
