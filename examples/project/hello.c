#include <stdio.h>

int main(void) {
  puts("built and run in a sandbox");
  return 0;
}
