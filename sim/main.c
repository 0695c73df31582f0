/* main.c - the simulators alone, for tests: dragoman-sim line --listen 127.0.0.1:9002 … is what dragoman sim line … does. */
#include "sim/sim.h"

int main(int argc, char **argv)
{
    return sim_main(argc - 1, argv + 1);
}
