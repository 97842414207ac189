"""Plain French replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import label, languages, rows, share_right

_REPLIES = """
= positive high none
Ça m'intéresse beaucoup, pouvez-vous m'en dire plus ?
Oui, avec plaisir. Quand êtes-vous disponible ?
Votre offre m'intéresse. Pouvons-nous en parler la semaine prochaine ?
Jeudi à 10h me convient.
D'accord pour mardi à 14h.
Appelez-moi demain matin.
On peut s'appeler vendredi ?
Je suis disponible lundi après-midi.
Prenons rendez-vous.
Envoyez-moi plus d'informations, s'il vous plaît.
Envoie-moi une présentation.
Pourriez-vous m'envoyer de la documentation ?
Je souhaiterais en savoir plus.
J'aimerais voir une démo.
Est-ce compatible avec Salesforce ?
Où sont hébergées les données ?
Combien de temps prend la mise en place ?
Comment ça marche ?
Quelle est la différence avec vos concurrents ?
Avez-vous des références dans notre secteur ?
C'est exactement ce que nous cherchons.
Oui, parlons-en.
Pas de problème, parlons-en demain.
Super, à mardi alors.
Je suis intéressé, quelles sont les prochaines étapes ?
Combien ça coûte ?
Quel est le prix ?
Quels sont vos tarifs ?
Pouvez-vous me faire un devis ?
Merci de m'envoyer vos tarifs.
Proposez-moi un créneau.
Volontiers, êtes-vous libre mercredi ?
Intéressé, dites-m'en plus.
Pourquoi pas, appelez-moi jeudi.
Est-ce que cela fonctionne avec notre CRM ?
Proposez-vous une version d'essai ?
Bonjour, votre message tombe bien. Auriez-vous un moment mercredi pour nous présenter votre outil ?
Ça pourrait nous être utile. Que comprend l'abonnement ?
Et comment ça s'installe ?
Oui, envoyez-moi le lien pour réserver.
On cherche justement quelque chose comme ça. On se parle ?
Avez-vous déjà travaillé avec des hôtels ?
J'aimerais essayer avant de me décider. Y a-t-il une version gratuite ?
Top, tu es dispo quand ?
Combien pour une équipe de dix personnes ?
C'est bon pour moi, lundi à neuf heures.
Est-ce conforme au RGPD ?
= positive - none
Je suis intéressée par votre proposition.
Nous sommes très intéressés par votre solution.
Avec plaisir !
Ça a l'air très bien.
Excellente idée !
De quoi s'agit-il ?
= positive high competitor
Nous avons déjà un prestataire mais nous n'en sommes pas satisfaits. Que proposez-vous ?
= neutral low none
Merci.
Merci pour l'information.
Bien reçu, merci.
C'est noté.
Ok.
D'accord, merci.
Bien noté.
Vu, merci.
Merci de votre message.
Parfait, bien reçu.
= neutral medium -
Tenez-moi au courant.
Peut-être, je vais y réfléchir.
Je vais regarder et je reviens vers vous.
Je ne sais pas encore.
Laissez-moi y réfléchir.
Nous n'en avons pas besoin pour le moment, mais je garde vos coordonnées.
Pas de besoin actuellement, mais nous reviendrons vers vous le cas échéant.
Je regarde ça tranquillement et je vous dis.
Ça se pourrait, mais je ne vous promets rien.
Prévenez-moi s'il y a du nouveau.
Je garde votre message de côté.
= neutral medium timing
En ce moment ce n'est pas possible, peut-être au prochain trimestre.
Ce n'est pas le bon moment, recontactez-moi en septembre.
Pas maintenant, peut-être plus tard.
Revenez vers moi en janvier.
Nous sommes débordés, reparlons-en après l'été.
Pas cette année, mais peut-être l'année prochaine.
Je n'ai pas le temps actuellement, rappelez-moi le mois prochain.
Recontactez-nous dans six mois.
Pour l'instant ce n'est pas une priorité, revenez vers nous à la rentrée.
Relance-moi en mars.
Nous sommes en plein déménagement, on en reparle en mai.
Je ne pourrai rien regarder avant Pâques.
Là tout de suite non, mais recontactez-moi en janvier.
Ce trimestre est complet, écrivez-nous au prochain.
Le moment est mal choisi, peut-être l'an prochain.
Je suis sous l'eau, on remet ça au mois prochain ?
Nous avons d'autres priorités pour l'instant. Revenez vers nous à l'automne.
= neutral medium authority
Je dois en parler à mon directeur.
Je dois d'abord voir avec mon équipe.
C'est la direction qui décide.
Ce n'est pas moi qui décide, je dois consulter ma hiérarchie.
Je dois valider avec mon associé.
C'est à la direction de valider, je lui soumets et je vous tiens au courant.
Il faut que j'en parle à ma femme, c'est elle qui tient les comptes.
J'en touche un mot à mon chef.
= neutral - -
Adressez-vous à Madame Dupont, c'est elle qui s'en occupe.
Contactez plutôt mon collègue Paul Martin.
Je transmets votre message au service achats.
C'est Jean Durand qui gère ce sujet.
J'ai transféré votre mail à la personne concernée.
Voyez avec le service marketing.
Pour cela, écrivez à achats@example.com
C'est ma collègue Laure qui gère ça, je vous donne son contact.
J'ai fait suivre votre proposition au service informatique.
= neutral none -
Vous vous êtes trompé de personne.
Je ne suis pas la bonne personne.
Je ne m'occupe pas de ce sujet.
Marc ne travaille plus ici.
Sophie a quitté l'entreprise.
Je pense que ce message ne m'est pas destiné.
Je ne travaille pas dans ce domaine, vous devez faire erreur.
Ce n'est pas le bon contact.
Monsieur Lefèvre ne fait plus partie de la société.
= neutral none none
Je suis absent du bureau jusqu'au 15 août.
Je suis en congés jusqu'à lundi. En cas d'urgence, contactez ma collègue.
Ceci est une réponse automatique.
Merci pour votre message. Je suis actuellement en vacances et vous répondrai à mon retour.
Nous avons bien reçu votre demande et vous répondrons dans les meilleurs délais.
Je suis en congé maternité.
Merci pour votre mail. Je serai absente jusqu'au 7 janvier, sans accès à ma messagerie.
Nos bureaux seront fermés du 24 décembre au 1er janvier.
= negative none not_interested
Pas intéressé.
Pas intéressée, merci.
Nous ne sommes pas intéressés.
Je ne suis pas intéressé.
Merci mais ça ne m'intéresse pas.
Ça ne nous intéresse pas.
Cela ne m'intéresse pas du tout.
Non merci.
Non, merci beaucoup.
Non.
Aucun intérêt.
Merci beaucoup pour votre message, mais nous ne donnerons pas suite.
Nous vous remercions de votre proposition mais ne souhaitons pas y donner suite.
C'est très gentil, mais ce n'est pas pour nous.
Votre produit a l'air super, mais ça ne correspond pas à nos attentes.
Je préfère décliner. Bonne continuation !
Malheureusement, ce n'est pas pour nous. Bon courage.
Nous avons décidé de ne pas poursuivre.
Sans façon, merci.
Je ne suis malheureusement pas intéressée par votre offre.
Je passe mon tour.
Votre offre ne nous intéresse pas.
Je vais devoir refuser.
Je vous remercie pour votre message, mais cela ne nous intéresse absolument pas.
C'est gentil mais ça ne m'intéresse vraiment pas.
La proposition est bonne, mais nous avons décidé de ne pas aller plus loin.
Non merci, ce que vous vendez ne m'intéresse pas.
Produit intéressant, mais pas pour une entreprise comme la nôtre.
On n'est pas intéressés.
Je ne pense pas que ce soit pour nous. Cordialement.
Ce sera non.
À vrai dire nous ne sommes pas du tout intéressés par ce type de service.
= negative none no_need
Nous n'en avons pas besoin.
Je n'ai pas besoin de ce service.
Pas besoin, merci.
Nous n'avons aucun besoin.
Nous faisons tout en interne.
Nous avons une équipe dédiée en interne.
Nous sommes trop petits pour cela.
Nous avons déjà ce qu'il nous faut.
Cela ne répond à aucun besoin chez nous.
Nous gérons cela nous-mêmes.
On se débrouille très bien tout seuls.
Nous n'utilisons rien de tout cela.
Je n'en vois pas l'utilité pour nous.
= negative none competitor
Nous travaillons déjà avec un autre prestataire.
Nous avons déjà un fournisseur.
Nous utilisons déjà HubSpot et en sommes très contents.
Nous sommes satisfaits de notre prestataire actuel.
Nous sommes sous contrat avec un autre fournisseur.
Nous avons choisi un concurrent.
Nous venons de signer avec une autre société.
Merci, mais nous sommes chez Sage et ne comptons pas changer.
Une agence s'en occupe déjà.
= negative none price
C'est trop cher.
C'est beaucoup trop cher pour nous.
Nous n'avons pas de budget.
Nous n'avons pas le budget pour cela.
Pas de budget.
Nous n'avons pas les moyens.
C'est hors budget.
Le prix est trop élevé.
À ce prix-là, c'est non.
Cela dépasse notre budget, nous en restons là.
On n'a pas d'argent pour ça.
= negative none -
Arrêtez de m'écrire.
Arrêtez de m'envoyer des mails !
Ne m'écrivez plus.
Ne me contactez plus, merci.
Merci de ne plus me contacter.
Désinscription
Désabonnez-moi.
Veuillez me désinscrire.
Je souhaite me désabonner.
Retirez-moi de votre liste.
Merci de me retirer de votre liste de diffusion.
Supprimez mes données.
Supprimez mon adresse de votre base.
Je ne souhaite plus recevoir vos mails.
Plus de mails svp.
STOP
Enlevez-moi de votre liste d'envoi
Je ne veux plus recevoir de messages de votre part.
Conformément au RGPD, je demande la suppression de mes données.
Où avez-vous trouvé mon adresse ?
C'est du spam. Je vais porter plainte.
Vous commencez à m'énerver avec vos relances.
C'est la troisième fois que vous m'écrivez.
Super, encore un mail automatique. Il ne manquait plus que ça.
Bravo, vous n'avez même pas mon bon nom.
Vous me faites perdre mon temps.
Laissez-moi tranquille.
Fichez-moi la paix.
Assez de mails !
Enlevez-moi de vos listes une bonne fois pour toutes.
Effacez mon adresse de votre base de données.
Je ne veux plus entendre parler de vous.
Je retire mon consentement à recevoir vos communications.
Vous me faites perdre mon temps avec vos mails.
Combien de fois faut-il vous dire non ?
Encore un message copié-collé, quelle joie.
N'envoyez plus de publicité à cette adresse.
Je ne me suis jamais inscrit. Qui vous a donné mon adresse ?
Vu notre taille, ça n'en vaut pas la peine.
"""
_ROWS = rows(_REPLIES)


@pytest.mark.parametrize(("text", "expected"), _ROWS, ids=[text for text, _ in _ROWS])
def test_a_plain_reply_has_its_label(text, expected):
    assert label(text) == expected["sentiment_label"]


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("fr") >= 0.95 * len(_ROWS)
