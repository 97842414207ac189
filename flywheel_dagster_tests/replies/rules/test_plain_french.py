"""Plain French replies that anybody would expect to be read rightly."""

import pytest

from flywheel_dagster_tests.replies.rules.plain import languages, rows, share_right

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
Bonjour, ça me paraît une bonne idée. Appelle-moi demain matin.
J'ai de l'intérêt pour votre offre. De quoi avez-vous besoin de ma part ?
Volontiers, faisons une petite visio.
Le proposez-vous aussi en anglais ?
En combien de temps pourrait-on le mettre en place ?
Nous cherchons effectivement un nouveau prestataire. Quand êtes-vous libre ?
Entendu, réservez-moi un rendez-vous.
Je serais curieux de savoir comment vous protégez les données.
Tu as une vidéo ou une brochure ?
À partir de combien d'utilisateurs y a-t-il une remise ?
Vous avez piqué ma curiosité, dites-m'en plus.
Oui s'il vous plaît, la documentation par mail.
Qui sont vos clients en Belgique ?
On peut en discuter la semaine prochaine sans problème.
C'est tout à fait mon sujet ! Quand commence-t-on ?
Ça sonne bien, comment ça se passe ?
Envoyez le contrat, on y va.
Lundi me va.
À partir de 16h je suis joignable.
Oui, ça nous intéresse, envoyez quelque chose.
Ça marche aussi sur mobile ?
Faut-il une formation pour l'utiliser ?
Montrez-moi ce que vous avez.
= positive - none
Je suis intéressée par votre proposition.
Nous sommes très intéressés par votre solution.
Avec plaisir !
Ça a l'air très bien.
Excellente idée !
De quoi s'agit-il ?
J'en suis !
Très belle offre !
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
Merci de m'avoir prévenu.
C'est bien noté.
Ok, j'ai vu.
Merci pour votre mail, je l'ai lu.
Merci beaucoup, bien à vous.
Merci pour les documents, je les ai bien reçus.
J'en prends bonne note.
Ok, merci à toi.
C'est clair, merci et bonne journée.
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
C'est possible. Je vous écris quand ce sera plus concret.
Je ne suis pas encore convaincu, il faut que j'y réfléchisse.
Difficile à dire pour l'instant, peut-être.
Informez-moi quand il y aura des nouveautés, s'il vous plaît.
Si les choses changent, je vous recontacterai.
Je vais y jeter un œil.
Nous en parlerons prochainement en interne.
Je reviendrai vers vous à l'occasion.
Nous étudions cela et vous donnerons une réponse.
Je garde le mail.
Il faut que je regarde ça à tête reposée.
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
Nous sommes en période de vacances, réécrivez-nous en septembre.
Cette semaine impossible, peut-être la prochaine.
On n'y arrivera pas avant la fin de l'année, parlons-en en février.
Sur le principe oui, mais pas ce trimestre.
Le sujet est reporté à l'année prochaine.
Je suis débordé jusqu'à Pâques, relancez-moi ensuite.
Nous sommes en pleine clôture annuelle, rappelez en février.
Ce ne sera pas intéressant avant le troisième trimestre.
Je suis en déplacement en ce moment, parlons-nous en juin.
= neutral medium authority
Je dois en parler à mon directeur.
Je dois d'abord voir avec mon équipe.
C'est la direction qui décide.
Ce n'est pas moi qui décide, je dois consulter ma hiérarchie.
Je dois valider avec mon associé.
C'est à la direction de valider, je lui soumets et je vous tiens au courant.
Il faut que j'en parle à ma femme, c'est elle qui tient les comptes.
J'en touche un mot à mon chef.
Je dois d'abord consulter la direction.
Sans l'accord de mon chef je ne peux rien faire, je lui demande.
Je le présenterai à la prochaine réunion d'équipe.
C'est le service achats qui décide.
Il me faut l'autorisation de mon supérieur pour ça.
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
C'est le service RH qui s'en occupe, merci de voir avec eux.
Envoyez votre demande à info@example.com.
La responsable serait Madame Gilles.
Madame Leroy vous contactera, je lui ai envoyé votre mail.
Je mets Monsieur Brun en copie, il suit ce sujet.
Veuillez contacter notre service marketing.
Le mieux est de parler à Monsieur Diallo.
C'est le siège à Lyon qui s'occupe de ce sujet.
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
Je ne travaille pas du tout dans ce service.
Monsieur Roux est à la retraite depuis mai.
Il doit y avoir une confusion, je ne suis pas celui que vous cherchez.
Je suis seulement le gardien, je ne peux rien vous dire.
Cette adresse n'est plus celle de Monsieur Renard.
Je ne suis plus dans cette société depuis mars.
= neutral none none
Je suis absent du bureau jusqu'au 15 août.
Je suis en congés jusqu'à lundi. En cas d'urgence, contactez ma collègue.
Ceci est une réponse automatique.
Merci pour votre message. Je suis actuellement en vacances et vous répondrai à mon retour.
Nous avons bien reçu votre demande et vous répondrons dans les meilleurs délais.
Je suis en congé maternité.
Merci pour votre mail. Je serai absente jusqu'au 7 janvier, sans accès à ma messagerie.
Nos bureaux seront fermés du 24 décembre au 1er janvier.
Réponse automatique : je suis absent aujourd'hui et ne lirai mes mails que jeudi.
En déplacement professionnel jusqu'à mercredi, avec un accès limité à mes mails.
Je suis en vacances et de retour le 12.
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
Nous ne sommes pas intéressés, ni maintenant ni plus tard.
Bonjour, ce n'est pas pour moi. Merci quand même !
Approche intéressante, mais ça ne colle pas avec notre stratégie.
Je n'en veux pas.
Non, on n'en veut pas.
Nous préférons ne pas collaborer.
Après étude en interne, nous avons décidé de refuser votre offre.
Merci, mais je ne suis pas intéressée et je ne veux pas non plus de rendez-vous.
Un rendez-vous n'est pas nécessaire, cela ne nous intéresse pas.
Merci beaucoup pour cette belle offre, mais nous devons la refuser.
Ce genre de solutions ne nous attire pas.
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
Je ne vois pas de besoin de ce genre chez nous.
C'est notre propre service informatique qui s'en charge.
Nous n'utilisons rien de tel et ne comptons pas le faire.
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
Nous avons déjà un partenaire attitré sur ce sujet.
Nous sommes chez SAP depuis des années et ne voulons pas changer.
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
Nous n'allons pas dépenser d'argent là-dedans.
À ce prix, certainement pas.
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
Je répète : retirez-moi de la liste !
Arrêtez d'envoyer de la publicité.
Je vous ai déjà dit non trois fois.
C'est honteux.
Ça suffit maintenant avec les mails.
Nous ne souhaitons plus être contactés.
Pourriez-vous me retirer de votre liste de diffusion ?
Comment faire pour se désabonner ?
Génial, encore un expert qui vient sauver ma boîte.
"""
_ROWS = rows(_REPLIES)


def test_every_plain_reply_has_its_label():
    _, wrong = share_right(_ROWS, "sentiment_label")
    assert wrong == []


@pytest.mark.parametrize("field", ["interest_level", "objection_type"])
def test_interest_and_objection_are_right_nineteen_times_in_twenty(field):
    share, wrong = share_right(_ROWS, field)
    assert share >= 0.95, wrong


def test_the_language_is_known():
    assert languages(_ROWS).count("fr") >= 0.95 * len(_ROWS)
