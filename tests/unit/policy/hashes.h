/* hashes.h: passwords of the tests, hashed as cheaply as each method allows. All but the last two are of "sesame". */
#ifndef TERN_TESTS_POLICY_HASHES_H
#define TERN_TESTS_POLICY_HASHES_H

#define BCRYPT "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
#define BCRYPT_Y "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
#define SHA512                                                                                                         \
    "$6$rounds=1000$salt$GK3yib7Lb94CdPqNt0xP5RxgvpEWVn9CfnufX04biOKhvXzbBUvzy01KX.g/08wFRTJ2aRZ.lH3NQTM08sbo9."
#define SHA512_PLAIN                                                                                                   \
    "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1"
#define SHA256 "$5$rounds=1000$salt$rloU6KpfKKm9G.NUT4Kh3.lZ3eQ67D/GrlYTTZlly7."
#define YESCRYPT "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$dkx8GfQCUOOKDu2gp4RtWaqkzby8USvE.MwG9MqcU59"

/* Of "". */
#define EMPTY                                                                                                          \
    "$6$rounds=1000$salt$8.6rbmbp5x0d6GHKoit3wSooHPfMEY9cwCpDMr6.bC46HXi1Eqr7xqKZ9RPwaFW/eCyoUBBNRq1xG/f612CuH0"

/* Of "sasame:", with a diaeresis on its first a, in UTF-8. */
#define UMLAUT                                                                                                         \
    "$6$rounds=1000$salt$RzHPdXqeEqxOWNoPkSFriDBjjn9ahGUm//LcOQS2x1LQGhvI0dA47hpVo9BBpLTQo7Aui/BFqKV/WQQllVVMx/"

#endif
