"""Reports as people publish them: a program with the mistake, or with what was taken for one, and a teacher's answer."""
